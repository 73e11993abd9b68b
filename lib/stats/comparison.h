/* comparison.h: what the paired and the unpaired comparison have in common. */
#ifndef PF_STATS_COMPARISON_H
#define PF_STATS_COMPARISON_H

#include <profuse/stats.h>

/* Fills in `detectable`, then turns everything from logarithms into changes on the ratio scale. */
void pf_comparison_finish(struct pf_comparison *c, enum pf_scale scale, double confidence);

#endif
