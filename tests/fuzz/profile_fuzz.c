/*
 * libFuzzer target: any bytes through the profile reader; what is read must
 * survive summing, writing and reading again.
 */
#include <stdlib.h>

#include "core/error.h"
#include "profile/encode.h"
#include "profile/stacks.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
require(int condition)
{
	if (!condition)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pf_read_options options = PF_READ_OPTIONS_INIT;
	struct pf_buffer out;
	struct pf_profile *p, *again;
	struct pf_stacks s;
	struct pf_error err;

	options.max_size = 4 << 20;
	if (pf_profile_parse(&p, "fuzz", bytes, size, &options, &err))
		return 0;
	pf_buffer_init(&out, PF_BUFFER_NO_MAXIMUM);
	require(pf_profile_encode(p, &out, &err) == 0);
	require(pf_profile_parse(&again, "again", out.bytes, out.size, NULL, &err) == 0);
	require(again->sample_count == p->sample_count && again->frame_count == p->frame_count);
	if (pf_stacks_init(&s, &err) == 0) {
		if (pf_stacks_add(&s, p, "fuzz", NULL, &err) == 0)
			require(s.sample_count == p->sample_count);
		pf_stacks_release(&s);
	}
	pf_buffer_release(&out);
	pf_profile_free(again);
	pf_profile_free(p);
	return 0;
}
