/* enough.c: see enough.h. */
#include "convert/enough.h"

#include <math.h>
#include <string.h>

#include "convert/report.h"

/* How many times the samples a check asks for; 1 where it passes, infinite where none would do. */
static double
times_for(const struct pf_check *k)
{
	if (k->state != PF_CHECK_FAIL)
		return 1;
	if (strcmp(k->name, "samples") == 0)
		return k->limit / k->value;
	if (strcmp(k->name, "overlap") == 0)
		return k->value > 0 ? pow((100 - k->value) / (100 - k->limit), 2) : INFINITY;
	return 1; /* no matter of how many */
}

double
pf_more_seconds(const struct pf_report *r)
{
	double times = 1;

	for (size_t i = 0; i < r->check_count; i++)
		times = fmax(times, times_for(&r->checks[i]));
	if (times <= 1)
		return 0;
	if (!isfinite(times) || r->useful_nanos <= 0)
		return -1;
	return (times - 1) * (double)r->useful_nanos / 1e9;
}

void
pf_note_more(struct pf_report *r)
{
	double seconds = pf_more_seconds(r);
	bool brief = seconds < 90;
	double number = ceil(brief ? seconds : seconds / 60);

	if (seconds <= 0)
		return;
	pf_report_note(r,
	    "The samples are too few. At the rate at which they came, about %.0f more %s%s of "
	    "profiling should do, of all processes together: %.0f samples in %.3g s so far.",
	    number, brief ? "second" : "minute", number > 1 ? "s" : "", r->used,
	    (double)r->useful_nanos / 1e9);
}
