/* unjudged_statistics.c: see unjudged.h. Of statistics those of now count, and each is of one moment. */
#include <string.h>

#include "core/file.h"
#include "tuner/unjudged.h"

/* What is of an earlier time is nobody's today; false: there is none. */
static bool
write_of_base(const struct pf_evidence *e, struct pf_buffer *out)
{
	for (size_t i = 0; i < e->stats_count; i++) {
		const struct pf_evidence_stats *s = &e->stats[i];
		bool profile = false;

		for (size_t k = 0; s->base && k < e->profile_count; k++)
			profile |= e->profiles[k].base && strcmp(e->profiles[k].name, s->name) == 0;
		if (s->base && !profile) {
			pf_buffer_printf(out,
			    "The base's statistics (%s) were not compared: of statistics, those of "
			    "now are judged by themselves.",
			    pf_base_name(s->name));
			return true;
		}
	}
	return false;
}

static void
write_older(const struct pf_evidence *e, struct pf_buffer *out)
{
	const struct pf_evidence_stats *last = pf_evidence_stats_last(e, PF_STATS_ALLOCATOR, NULL),
				       *s;
	size_t older = 0;

	for (s = last; s && (s = pf_evidence_stats_last(e, PF_STATS_ALLOCATOR, s));)
		older++;
	if (older)
		pf_buffer_printf(out,
		    "Of %zu statistics of an allocator the one that was given last (%s) was "
		    "judged, "
		    "and no other: each is of one moment.",
		    older + 1, pf_base_name(last->name));
}

void
pf_write_other_statistics(const struct pf_evidence *e, struct pf_buffer *out)
{
	if (!write_of_base(e, out))
		write_older(e, out);
}
