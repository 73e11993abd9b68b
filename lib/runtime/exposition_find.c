/* exposition_find.c: looking up what a scrape says: samples, sums, histograms. */
#include "runtime/exposition.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/lines.h"
#include "core/memory.h"

enum { NAME_ROOM = 512 };

const char *
pf_exposition_label(
    const struct pf_exposition *e, const struct pf_exposition_sample *s, const char *name)
{
	for (uint32_t i = 0; i < s->label_count; i++) {
		const struct pf_exposition_label *l = &e->labels[s->first_label + i];
		if (strcmp(pf_strings_get(&e->strings, l->name), name) == 0)
			return pf_strings_get(&e->strings, l->value);
	}
	return "";
}

static bool
matches(
    const struct pf_exposition *e, const struct pf_exposition_sample *s, pf_label_matchers matchers)
{
	for (; matchers && *matchers; matchers += 2) {
		if (strcmp(pf_exposition_label(e, s, matchers[0]), matchers[1]) != 0)
			return false;
	}
	return true;
}

const struct pf_exposition_sample *
pf_exposition_find(const struct pf_exposition *e, const char *name, pf_label_matchers matchers,
    const struct pf_exposition_sample *after)
{
	uint32_t id = pf_strings_find(&e->strings, name, strlen(name));
	uint32_t i = id == PF_NONE ? PF_NONE : after ? after->next : e->first_of[id];

	while (i != PF_NONE && !matches(e, &e->samples[i], matchers))
		i = e->samples[i].next;
	return i == PF_NONE ? NULL : &e->samples[i];
}

double
pf_exposition_sum(const struct pf_exposition *e, const char *name, pf_label_matchers matchers)
{
	const struct pf_exposition_sample *s = NULL;
	double sum = 0;
	bool any = false;

	while ((s = pf_exposition_find(e, name, matchers, s))) {
		sum += s->value;
		any = true;
	}
	return any ? sum : NAN;
}

/* The position of this bound, inserted in order if new. */
static int
find_bucket(struct pf_exposition_histogram *h, double bound, size_t *at, struct pf_error *err)
{
	size_t i = 0, end = h->count;
	int rc;

	while (i < end) {
		size_t middle = i + (end - i) / 2;
		if (h->bounds[middle] > bound)
			end = middle;
		else
			i = middle + 1;
	}
	*at = i ? i - 1 : 0;
	if (i && h->bounds[i - 1] == bound)
		return 0;
	rc = PF_GROW(h->bounds, h->bounds_capacity, h->count + 1, err);
	if (!rc)
		rc = PF_GROW(h->counts, h->counts_capacity, h->count + 1, err);
	if (rc)
		return rc;
	memmove(h->bounds + i + 1, h->bounds + i, (h->count - i) * sizeof *h->bounds);
	memmove(h->counts + i + 1, h->counts + i, (h->count - i) * sizeof *h->counts);
	h->bounds[i] = bound;
	h->counts[i] = 0;
	h->count++;
	*at = i;
	return 0;
}

static int
check_histogram(const struct pf_exposition_histogram *h, const char *name, struct pf_error *err)
{
	if (!h->count)
		return pf_error_set(err, PF_EINPUT, "no histogram %s in these metrics", name);
	if (!isinf(h->bounds[h->count - 1]))
		return pf_error_set(
		    err, PF_EINPUT, "the histogram %s has no bucket up to +Inf", name);
	for (size_t i = 1; i < h->count; i++) {
		if (!(h->counts[i] >= h->counts[i - 1]))
			return pf_error_set(
			    err, PF_EINPUT, "the buckets of %s are not cumulative", name);
	}
	return 0;
}

/* A histogram has tens of buckets (Go's widest has 180); a limit keeps insertion cheap on hostile input. */
enum { MOST_BUCKETS = 4096 };

int
pf_exposition_histogram(const struct pf_exposition *e, const char *name, pf_label_matchers matchers,
    struct pf_exposition_histogram *h, struct pf_error *err)
{
	const struct pf_exposition_sample *s = NULL;
	char full[NAME_ROOM];
	int rc = 0;

	*h = (struct pf_exposition_histogram){.sum = NAN};
	snprintf(full, sizeof full, "%s_bucket", name);
	while (!rc && (s = pf_exposition_find(e, full, matchers, s))) {
		const char *bound = pf_exposition_label(e, s, "le");
		struct pf_text t = pf_text_of(bound, strlen(bound));
		double value = pf_text_double(&t);
		size_t at;

		if (t.failure || isnan(value) || !(s->value >= 0))
			return pf_error_set(err, PF_EINPUT,
			    "a bucket of the histogram %s is malformed (le=\"%.40s\")", name,
			    bound);
		rc = find_bucket(h, value, &at, err);
		if (!rc && h->count > MOST_BUCKETS)
			return pf_error_set(err, PF_EINPUT,
			    "the histogram %s has more than %d buckets", name, MOST_BUCKETS);
		if (!rc)
			h->counts[at] += s->value;
	}
	snprintf(full, sizeof full, "%s_sum", name);
	h->sum = pf_exposition_sum(e, full, matchers);
	return rc ? rc : check_histogram(h, name, err);
}

void
pf_exposition_histogram_release(struct pf_exposition_histogram *h)
{
	free(h->bounds);
	free(h->counts);
	*h = (struct pf_exposition_histogram){0};
}

int
pf_exposition_histogram_subtract(struct pf_exposition_histogram *h,
    const struct pf_exposition_histogram *earlier, struct pf_error *err)
{
	double below = 0;

	if (h->count != earlier->count)
		return pf_error_set(err, PF_EINPUT, "the two histograms have different buckets");
	for (size_t i = 0; i < h->count; i++) {
		double here = h->counts[i] - earlier->counts[i];
		if (h->bounds[i] != earlier->bounds[i])
			return pf_error_set(
			    err, PF_EINPUT, "the two histograms have different buckets");
		if (here < below)
			return pf_error_set(err, PF_EINPUT,
			    "a histogram's count fell between two scrapes: the service was "
			    "started anew, or the scrapes are in the wrong order");
		below = here;
	}
	for (size_t i = 0; i < h->count; i++)
		h->counts[i] -= earlier->counts[i];
	h->sum -= earlier->sum;
	return 0;
}

double
pf_exposition_histogram_quantile(const struct pf_exposition_histogram *h, double q)
{
	double total = h->count ? h->counts[h->count - 1] : 0, rank = q * total;
	double below, lower, upper;
	size_t i = 0;

	if (!(total > 0))
		return NAN;
	while (i + 1 < h->count && h->counts[i] < rank)
		i++;
	below = i ? h->counts[i - 1] : 0;
	upper = h->bounds[i];
	lower = i ? h->bounds[i - 1] : upper > 0 ? 0 : upper;
	if (isinf(upper))
		return lower;
	if (isinf(lower)) /* Go's first bucket begins at -Inf */
		return upper;
	return h->counts[i] > below
		   ? lower + (upper - lower) * (rank - below) / (h->counts[i] - below)
		   : upper;
}
