/*
 * reader.c: from bytes to a profile: caps and gzip (core/source.h), then the format's own decoder.
 *
 * Long inputs are read once without keeping anything before they are read into
 * a profile: a malformed one is refused before it has cost more memory than its
 * own bytes.
 */
#include "profile/reader.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "profile/formats.h"

enum { CHECK_FROM = 4 << 20 };
enum { FIRST_FIELDS = 3 }; /* that say whether an input is profile.proto */

void
pf_reader_init(struct pf_reader *r)
{
	*r = (struct pf_reader){.profile = NULL};
	pf_source_init(&r->source);
}

void
pf_reader_release(struct pf_reader *r)
{
	pf_source_release(&r->source);
	pf_decoder_release(&r->decoder);
	pf_profile_free(r->profile);
	pf_reader_init(r);
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

int
pf_reader_open(struct pf_reader *r, const char *path, const struct pf_read_options *options,
    struct pf_error *err)
{
	struct pf_read_options o = options_or_defaults(options);

	return pf_source_open(&r->source, path, o.max_size, o.max_ratio, err);
}

int
pf_reader_borrow(struct pf_reader *r, const char *name, const void *bytes, size_t size,
    const struct pf_read_options *options, struct pf_error *err)
{
	struct pf_read_options o = options_or_defaults(options);

	return pf_source_borrow(&r->source, name, bytes, size, o.max_size, o.max_ratio, err);
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

/* A line of perf script: the command, its thread, a processor perhaps, seconds, then what was counted. */
static bool
is_of_perf_script(const uint8_t *bytes, size_t size)
{
	char line[128];
	double seconds;
	int thread, end = 0;

	snprintf(line, sizeof line, "%.*s", (int)(size < sizeof line ? size : sizeof line - 1),
	    (const char *)bytes);
	return (sscanf(line, "%*s %d %lf: %n", &thread, &seconds, &end) == 2 ||
		   sscanf(line, "%*s %d [%*d] %lf: %n", &thread, &seconds, &end) == 2) &&
	       end > 0;
}

static int
text_instead(const char *name, const uint8_t *bytes, size_t size, struct pf_error *err)
{
	int shown = 0;

	while (size && (*bytes == '\n' || *bytes == '\r' || *bytes == '\t' || *bytes == ' '))
		bytes++, size--;
	if (size == 0)
		return pf_error_set(err, PF_EINPUT, "%s: not a profile but empty lines", name);
	while ((size_t)shown < size && shown < 60 && bytes[shown] >= 0x20 && bytes[shown] < 0x7f)
		shown++;
	return pf_error_set(err, PF_EINPUT, "%s: not a profile but text: \"%.*s\"%s", name, shown,
	    (const char *)bytes,
	    is_of_perf_script(bytes, size)
		? ", as of perf script: perf_to_profile makes a profile of what perf recorded "
		  "(google/perf_data_converter), or let profuse collect take it (pid:N)"
		: "");
}

/* LLVM's binary sample profiles (the number "SPROF42\xff" or that of another format as ULEB128) and its merged counters. */
static bool
is_of_llvm(const uint8_t *bytes, size_t size)
{
	static const uint8_t sample[] = {
	    0xd0, 0xb1, 0xf4, 0xc9, 0x94, 0xa8, 0x53}; /* from the third byte on */

	return size >= 2 + sizeof sample && (memcmp(bytes + 2, sample, sizeof sample) == 0 ||
						memcmp(bytes, "\xfflprofi\x81", 8) == 0);
}

/* profile.proto has no magic number: its first fields, as many as are at hand, are what stands for one. */
static bool
begins_as_proto(const struct pf_source *s)
{
	struct pf_message m = pf_message_of(s->at, s->end);
	struct pf_field f;
	size_t known = 0;

	while (known < FIRST_FIELDS && pf_field_next(&m, &f)) {
		bool text_or_message =
		    f.number <= PF_PROFILE_STRING_TABLE || f.number == PF_PROFILE_PERIOD_TYPE;

		if (f.number > PF_PROFILE_DOC_URL || (text_or_message && !f.is_bytes))
			return false;
		known++;
	}
	return known == FIRST_FIELDS || (known > 0 && !s->ended);
}

/* What no reader takes, and fails as profile.proto: said first, since an offset helps with a damaged profile only. */
static void
say_what_is_known(const char *name, struct pf_error *err)
{
	struct pf_error why;
	size_t n = strlen(name);

	if (!err)
		return;
	why = *err;
	pf_error_set(err, why.code,
	    "%s: not a profile of a format that profuse knows: pprof's profile.proto, the CPU and "
	    "heap profiles of gperftools, jemalloc's heap profiles, Go's, C++'s and Java's texts "
	    "of "
	    "stacks, locks and heaps (as profile.proto%s)",
	    name, strncmp(why.message, name, n) == 0 ? why.message + n : "");
}

/* The format of the input, NULL for profile.proto. */
static int
recognise(struct pf_source *s, const struct pf_format **format, struct pf_error *err)
{
	int rc = pf_source_need(s, PF_FORMAT_BYTES, err);
	size_t size = (size_t)(s->end - s->at);

	if (rc)
		return rc;
	if (size == 0)
		return pf_error_set(err, PF_EINPUT, "%s: empty", s->name);
	if (pf_is_program(s->at, size))
		return pf_error_set(err, PF_EINPUT,
		    "%s: not a profile but a program or library; --binary takes those", s->name);
	if (size >= 8 && memcmp(s->at, "PERFILE2", 8) == 0)
		return pf_error_set(err, PF_EINPUT,
		    "%s: a recording of perf, not a profile: perf_to_profile makes one of it "
		    "(google/perf_data_converter), or let profuse collect take it (pid:N)",
		    s->name);
	if (is_of_llvm(s->at, size))
		return pf_error_set(err, PF_EINPUT,
		    "%s: a profile for clang, such as profuse convert writes, not one in pprof's "
		    "format",
		    s->name);
	*format = pf_format_find(s->at, size);
	return !*format && looks_like_text(s->at, size) ? text_instead(s->name, s->at, size, err)
							: 0;
}

/* Whether the input is long enough to be checked first. */
static bool
is_long(const struct pf_source *s)
{
	return !s->whole || s->end - s->at > CHECK_FROM;
}

static int
decode(
    struct pf_reader *r, struct pf_profile *p, const struct pf_parts *parts, struct pf_error *err)
{
	struct pf_decoder *d = &r->decoder;
	int rc = 0;

	pf_decode_begin(d, p, &r->source, parts != NULL);
	if (is_long(&r->source)) {
		rc = pf_decode_check(d, err);
		if (!rc)
			rc = pf_source_rewind(&r->source, err);
	}
	if (!rc && d->plain && !parts) {
		p->digest = pf_source_digest(&r->source);
		return pf_decode_all(d, err);
	}
	if (!rc)
		rc = pf_decode_tables(d, err);
	p->digest = pf_source_digest(&r->source);
	if (!rc)
		rc = pf_source_rewind(&r->source, err);
	return rc ? rc : pf_decode_samples(d, parts, err);
}

/* One run of a reader of an older format. */
static int
run(const struct pf_format *format, struct pf_builder *b, struct pf_source *s, struct pf_error *err)
{
	int rc = format->read(b, s, err);

	if (!s->code)
		return rc;
	if (err)
		*err = s->failure; /* the reader only saw the input end */
	return s->code;
}

static int
again(const struct pf_format *format, struct pf_builder *b, struct pf_source *s,
    enum pf_build build, const struct pf_parts *parts, struct pf_error *err)
{
	int rc = pf_source_rewind(s, err);

	pf_builder_again(b, build, parts);
	return rc ? rc : run(format, b, s, err);
}

static int
build(const struct pf_format *format, struct pf_reader *r, struct pf_profile *p,
    const struct pf_parts *parts, struct pf_error *err)
{
	bool checks = is_long(&r->source), twice = parts && !r->source.whole;
	struct pf_source *s = &r->source;
	struct pf_builder b;
	int rc = 0;

	pf_builder_init(&b, p, PF_BUILD_NOTHING);
	if (checks)
		rc = run(format, &b, s, err);
	if (!rc)
		rc = again(format, &b, s, twice ? PF_BUILD_TABLES : PF_BUILD_ALL, NULL, err);
	p->digest = pf_source_digest(s);
	if (!rc && twice)
		rc = again(format, &b, s, PF_BUILD_SAMPLES, parts, err);
	else
		b.parts = parts;
	if (!rc)
		rc = pf_builder_end(&b, err);
	pf_builder_release(&b);
	return rc;
}

/*
 * A malformed input may be damaged gzip data, or over a cap, as well: that is said first, as it is where the input is
 * held as a whole. Looked for up to the default cap only, lest lifting it makes every error slow.
 */
static int
blame_packing(struct pf_source *s, struct pf_error *err)
{
	const struct pf_read_options defaults = PF_READ_OPTIONS_INIT;

	while (!s->code && !s->ended && pf_source_offset(s) < defaults.max_size) {
		s->at = s->end;
		(void)pf_source_need(s, 1, err);
	}
	return s->code ? s->code : PF_EINPUT;
}

static int
read_into(
    struct pf_reader *r, struct pf_profile *p, const struct pf_parts *parts, struct pf_error *err)
{
	const struct pf_format *format = NULL;
	int rc = recognise(&r->source, &format, err);
	bool unknown = !rc && !format && !begins_as_proto(&r->source);

	if (!rc)
		rc = format ? build(format, r, p, parts, err) : decode(r, p, parts, err);
	if (rc != PF_EINPUT)
		return rc;
	rc = blame_packing(&r->source, err);
	if (unknown && !r->source.code)
		say_what_is_known(r->source.name, err);
	return rc;
}

int
pf_reader_whole(struct pf_reader *r, struct pf_profile **profile, struct pf_error *err)
{
	int rc = pf_profile_new(profile, err);

	if (!rc)
		rc = read_into(r, *profile, NULL, err);
	if (rc) {
		pf_profile_free(*profile);
		*profile = NULL;
	}
	return rc;
}

int
pf_reader_parts(struct pf_reader *r, const struct pf_parts *parts, struct pf_error *err)
{
	int rc = 0;

	if (r->profile)
		pf_profile_clear(r->profile);
	else
		rc = pf_profile_new(&r->profile, err);
	return rc ? rc : read_into(r, r->profile, parts, err);
}
