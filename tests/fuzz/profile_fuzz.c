/*
 * libFuzzer targets: bytes through the readers of profiles. What is read must
 * survive summing, writing and reading again; and it must come out the same, or
 * be refused as well, in parts through a window of a few bytes.
 *
 * Built once for any bytes, and once for each reader with RECOGNISER as the name
 * of its recogniser (NULL: profile.proto): what another reader would take is left
 * to that one's target.
 */

#include "core/error.h"
#include "fuzz/memory_file.h"
#include "profile/encode.h"
#include "profile/formats.h"
#include "profile/reader.h"
#include "profile/stacks.h"
#include "support/profile_sum.h"
#include "fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#ifdef RECOGNISER

static bool
is_wanted(const uint8_t *bytes, size_t size)
{
	const struct pf_format *format = pf_format_find(bytes, size);

	return (format ? format->recognise : NULL) == RECOGNISER;
}

#else

static bool
is_wanted(const uint8_t *bytes, size_t size)
{
	(void)bytes;
	(void)size;
	return true;
}

#endif

/* `p` is what the same bytes are when read at once; NULL: refused. */
static void
check_parts(const uint8_t *bytes, size_t size, const struct pf_read_options *options,
    const struct pf_profile *p)
{
	struct profile_sum whole = {0}, sum = {0};
	const struct pf_parts parts = {.take = profile_sum_add, .data = &sum};
	struct pf_reader r;
	int rc;

	pf_reader_init(&r);
	r.source.most_whole = 64;
	r.source.window = (size_t)32 << size % 5;
	rc = pf_reader_open(&r, memory_file(bytes, size), options, NULL);
	if (!rc)
		rc = pf_reader_parts(&r, &parts, NULL);
	pf_reader_release(&r);
	require((rc == 0) == (p != NULL));
	if (!p)
		return;
	profile_sum_add(&whole, p, NULL);
	require(sum.samples == whole.samples && sum.frames == whole.frames);
	require(sum.labels == whole.labels && sum.mixed == whole.mixed);
}

static void
check_again(const struct pf_profile *p)
{
	struct pf_profile *again;
	struct pf_buffer out;
	struct pf_error err;

	pf_buffer_init(&out, PF_BUFFER_NO_MAXIMUM);
	require(pf_profile_encode(p, &out, &err) == 0);
	require(pf_profile_parse(&again, "again", out.bytes, out.size, NULL, &err) == 0);
	require(again->sample_count == p->sample_count && again->frame_count == p->frame_count);
	pf_buffer_release(&out);
	pf_profile_free(again);
}

static void
check_stacks(const struct pf_profile *p)
{
	struct pf_stacks s;
	struct pf_error err;

	if (pf_stacks_init(&s, &err))
		return;
	if (pf_stacks_add(&s, p, "fuzz", NULL, &err) == 0)
		require(s.sample_count == p->sample_count);
	pf_stacks_release(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pf_read_options options = PF_READ_OPTIONS_INIT;
	struct pf_profile *p;
	struct pf_error err;

	if (!is_wanted(bytes, size))
		return -1; /* not for this target's corpus */
	options.max_size = 4 << 20;
	(void)pf_profile_parse(&p, "fuzz", bytes, size, &options, &err);
	check_parts(bytes, size, &options, p);
	if (p) {
		check_again(p);
		check_stacks(p);
	}
	pf_profile_free(p);
	return 0;
}
