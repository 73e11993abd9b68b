/* open.c: from a file's bytes to a profile: caps, gzip, then the format's own decoder. */
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/gzip.h"
#include "profile/decode.h"
#include "profile/formats.h"

static size_t
cap(uint64_t bytes)
{
	return bytes > PF_BUFFER_NO_MAXIMUM ? PF_BUFFER_NO_MAXIMUM : (size_t)bytes;
}

static struct pf_read_options
options_or_defaults(const struct pf_read_options *options)
{
	struct pf_read_options merged = PF_READ_OPTIONS_INIT;

	if (options)
		memcpy(&merged, options,
		    options->struct_size < sizeof merged ? options->struct_size : sizeof merged);
	return merged;
}

/* What people save by mistake in place of a profile: say so rather than "bad field". */
static bool
looks_like_text(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size && i < 64; i++) {
		if (bytes[i] < 0x20 && bytes[i] != '\t' && bytes[i] != '\r' && bytes[i] != '\n')
			return false;
	}
	return true;
}

static int
text_instead(const char *name, const uint8_t *bytes, size_t size, struct pf_error *err)
{
	int shown = 0;

	while ((size_t)shown < size && shown < 60 && bytes[shown] >= 0x20 && bytes[shown] < 0x7f)
		shown++;
	return pf_error_set(err, PF_EINPUT, "%s: not a profile but text: \"%.*s\"", name, shown,
	    (const char *)bytes);
}

static int
decode(struct pf_profile **profile, const char *name, const uint8_t *bytes, size_t size,
    struct pf_error *err)
{
	const struct pf_format *format;
	int rc;

	if (size == 0)
		return pf_error_set(err, PF_EINPUT, "%s: empty", name);
	format = pf_format_find(bytes, size);
	if (!format && looks_like_text(bytes, size))
		return text_instead(name, bytes, size, err);
	rc = pf_profile_new(profile, err);
	if (!rc)
		rc = format ? format->read(*profile, name, bytes, size, err)
			    : pf_profile_decode(*profile, name, bytes, size, err);
	if (rc) {
		pf_profile_free(*profile);
		*profile = NULL;
	}
	return rc;
}

int
pf_profile_parse(struct pf_profile **profile, const char *name, const void *bytes, size_t size,
    const struct pf_read_options *options, struct pf_error *err)
{
	struct pf_read_options o = options_or_defaults(options);
	struct pf_error local;
	struct pf_buffer raw;
	int rc;

	*profile = NULL;
	err = err ? err : &local;
	if (!pf_gzip_is(bytes, size)) {
		if (size > o.max_size)
			return pf_error_set(err, PF_EINPUT,
			    "%s: larger than the %llu bytes allowed; --max-size lifts the cap",
			    name, (unsigned long long)o.max_size);
		return decode(profile, name, bytes, size, err);
	}
	pf_buffer_init(&raw, cap(o.max_size));
	rc = pf_gzip_inflate(&raw, name, bytes, size, o.max_ratio, err);
	if (!rc)
		rc = decode(profile, name, raw.bytes, raw.size, err);
	pf_buffer_release(&raw);
	return rc;
}

int
pf_profile_open(struct pf_profile **profile, const char *path,
    const struct pf_read_options *options, struct pf_error *err)
{
	struct pf_read_options o = options_or_defaults(options);
	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
	struct pf_buffer bytes;
	int rc;

	*profile = NULL;
	pf_buffer_init(&bytes, cap(o.max_size));
	rc = pf_file_read(path, &bytes, err);
	if (!rc)
		rc = pf_profile_parse(profile, name, bytes.bytes, bytes.size, &o, err);
	pf_buffer_release(&bytes);
	return rc;
}
