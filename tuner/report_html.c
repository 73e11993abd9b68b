/* report_html.c: findings as one page (placeholder that is replaced in this step). */
#include "tuner/tune.h"
int
pf_tune_html(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err)
{
	return pf_tune_markdown(t, out, err);
}
