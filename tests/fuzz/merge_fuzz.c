/*
 * libFuzzer target: whatever the reader accepts goes through merging and every
 * view. A merge of a merge is the same bytes, written from columns or as it was
 * packed; a profile less itself is empty.
 */
#include <string.h>

#include "core/error.h"
#include "profile/encode.h"
#include "profile/merge.h"
#include "report/view.h"
#include "fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The sum of one profile, or of it less itself; NULL where that is refused. */
static struct pf_profile *
merged(const struct pf_profile *p, const struct pf_merge_options *options, bool less_itself,
    bool packed)
{
	struct pf_profile *sum = NULL;
	struct pf_error err;
	struct pf_merge *m;

	if (pf_merge_new(&m, options, &err))
		return NULL;
	if (!pf_merge_add(m, p, "fuzz", &err) &&
	    (!less_itself || !pf_merge_subtract(m, p, "base", &err)))
		(packed ? pf_merge_settle : pf_merge_finish)(m, &sum, &err);
	pf_merge_free(m);
	return sum;
}

static void
view(const struct pf_profile *p, enum pf_granularity granularity)
{
	struct pf_view_options o = {
	    .granularity = granularity, .node_limit = 20, .least_share = 0.01, .least_edge = 0.001};
	struct pf_buffer out;
	struct pf_error err;
	struct pf_view v;

	pf_buffer_init(&out, 64 << 20);
	if (pf_view_init(&v, p, &o, &err) == 0) {
		pf_view_top(&v, &out, &err);
		pf_view_tree(&v, &out, &err);
		pf_view_diff(&v, &out, &err);
		pf_view_flame(&v, "fuzz", &out, &err);
	}
	pf_view_raw(p, NULL, &out, &err);
	pf_view_release(&v);
	pf_buffer_release(&out);
}

static void
check_again(const struct pf_profile *sum)
{
	struct pf_profile *again = merged(sum, NULL, false, true);
	struct pf_buffer x, y;
	struct pf_error err;

	require(again != NULL);
	pf_buffer_init(&x, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&y, PF_BUFFER_NO_MAXIMUM);
	require(!pf_profile_encode(sum, &x, &err) && !pf_profile_encode(again, &y, &err));
	require(x.size == y.size && memcmp(x.bytes, y.bytes, x.size) == 0);
	pf_buffer_release(&x);
	pf_buffer_release(&y);
	pf_profile_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct pf_merge_options by_name = PF_MERGE_OPTIONS_INIT, options = PF_MERGE_OPTIONS_INIT;
	struct pf_read_options read = PF_READ_OPTIONS_INIT;
	struct pf_profile *p, *sum;
	struct pf_error err;

	read.max_size = 1 << 20;
	if (pf_profile_parse(&p, "fuzz", bytes, size, &read, &err))
		return 0;
	by_name.merge_by_filename = options.merge_by_filename = true;
	options.label_base = size & 1;
	options.scale_by_duration = size & 2;
	options.drop_all_labels = size & 4;
	view(p, (enum pf_granularity)(size % 6));
	sum = merged(p, NULL, false, false);
	if (sum)
		check_again(sum);
	pf_profile_free(sum);
	sum = merged(p, &by_name, true, true);
	require(!sum || sum->sample_count == 0);
	pf_profile_free(sum);
	sum = merged(p, &options, true, false);
	if (sum)
		view(sum, PF_BY_LINE);
	pf_profile_free(sum);
	pf_profile_free(p);
	return 0;
}
