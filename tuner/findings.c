/* findings.c: see findings.h. */
#include "tuner/findings.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"

enum { TEXT_ROOM = 2048 };

int
pf_findings_init(struct pf_findings *f, struct pf_error *err)
{
	*f = (struct pf_findings){0};
	return pf_strings_init(&f->strings, err);
}

void
pf_findings_release(struct pf_findings *f)
{
	pf_strings_release(&f->strings);
	free(f->findings);
	free(f->numbers);
	free(f->stacks);
	free(f->advices);
	free(f->predictions);
	free(f->caveats);
	free(f->frames);
	free(f->dead_waits);
	*f = (struct pf_findings){0};
}

int
pf_findings_check(const struct pf_findings *f, struct pf_error *err)
{
	return f->failed ? pf_error_nomem(err) : 0;
}

static uint32_t
intern(struct pf_findings *f, const char *text)
{
	uint32_t id = 0;

	if (pf_strings_add(&f->strings, text, strlen(text), &id, NULL)) {
		f->failed = true;
		return 0;
	}
	return id;
}

uint32_t
pf_say(struct pf_findings *f, const char *format, ...)
{
	char text[TEXT_ROOM];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return intern(f, text);
}

/* Room for one more, or NULL with the failure kept. */
#define ROOM(F, NAME)                                                             \
	(PF_GROW((F)->NAME##s, (F)->NAME##_capacity, (F)->NAME##_count + 1, NULL) \
		? ((F)->failed = true, NULL)                                      \
		: &(F)->NAME##s[(F)->NAME##_count++])

static struct pf_finding scratch; /* written, never read: where a failed list's finding goes */

struct pf_finding *
pf_findings_last(struct pf_findings *f)
{
	return f->finding_count ? &f->findings[f->finding_count - 1] : &scratch;
}

struct pf_finding *
pf_findings_add(struct pf_findings *f, const char *kind, enum pf_severity severity,
    enum pf_confidence confidence, uint32_t title)
{
	struct pf_finding *finding = ROOM(f, finding);

	if (!finding)
		return &scratch;
	*finding = (struct pf_finding){.kind = kind,
	    .severity = severity,
	    .confidence = confidence,
	    .title = title,
	    .first_number = f->number_count,
	    .first_stack = f->stack_count,
	    .first_advice = f->advice_count,
	    .first_prediction = f->prediction_count,
	    .first_caveat = f->caveat_count};
	return finding;
}

void
pf_add_estimate(struct pf_findings *f, const char *name, double value, double low, double high,
    const char *unit)
{
	struct pf_number n = {.name = intern(f, name), .unit = intern(f, unit)};
	struct pf_number *to = ROOM(f, number);

	n.value = value;
	n.low = low;
	n.high = high;
	if (to) {
		*to = n;
		pf_findings_last(f)->number_count++;
	}
}

void
pf_add_number(struct pf_findings *f, const char *name, double value, const char *unit)
{
	if (!isnan(value))
		pf_add_estimate(f, name, value, NAN, NAN, unit);
}

void
pf_add_dead_wait(struct pf_findings *f, uint64_t lock, const char *function)
{
	struct pf_dead_wait d = {lock, intern(f, function)}, *to = ROOM(f, dead_wait);

	if (to)
		*to = d;
}

void
pf_add_stack(struct pf_findings *f, double value, double share, const char *unit)
{
	uint32_t id = intern(f, unit);
	struct pf_evidence_stack *to = ROOM(f, stack);

	if (!to)
		return;
	*to = (struct pf_evidence_stack){.first_frame = f->frame_count,
	    .named = SIZE_MAX,
	    .caller = SIZE_MAX,
	    .unit = id,
	    .value = value,
	    .share = share,
	    .own = NAN};
	pf_findings_last(f)->stack_count++;
}

void
pf_set_own_share(struct pf_findings *f, double share)
{
	if (f->stack_count)
		f->stacks[f->stack_count - 1].own = share;
}

void
pf_set_named_frame(struct pf_findings *f, size_t named, size_t caller)
{
	if (!f->stack_count)
		return;
	f->stacks[f->stack_count - 1].named = named;
	f->stacks[f->stack_count - 1].caller = caller;
}

size_t
pf_stack_short(const struct pf_evidence_stack *s, size_t most, size_t shown[PF_MOST_SHORT])
{
	const size_t wanted[] = {s->named, s->caller};
	size_t count = 0, first = most, late;

	if (first > s->frame_count)
		first = s->frame_count;
	/* The longest beginning that leaves room for those of the two that lie behind it. */
	for (;; first--) {
		late = 0;
		for (size_t i = 0; i < 2; i++)
			late += wanted[i] >= first && wanted[i] < s->frame_count;
		if (first + late <= most || !first)
			break;
	}
	while (count < first) {
		shown[count] = count;
		count++;
	}
	for (size_t i = 0; i < 2; i++) {
		if (wanted[i] >= first && wanted[i] < s->frame_count)
			shown[count++] = wanted[i];
	}
	return count;
}

void
pf_add_frame(struct pf_findings *f, const char *function)
{
	uint32_t id = intern(f, function);
	uint32_t *to = ROOM(f, frame);

	if (!to || !f->stack_count)
		return;
	*to = id;
	f->stacks[f->stack_count - 1].frame_count++;
}

void
pf_add_advice(struct pf_findings *f, struct pf_advice advice)
{
	struct pf_advice *to = ROOM(f, advice);

	if (!to)
		return;
	*to = advice;
	pf_findings_last(f)->advice_count++;
}

void
pf_add_prediction(struct pf_findings *f, const char *metric, const char *unit, double before,
    double after, double low, double high, uint32_t model)
{
	struct pf_prediction p = {.metric = intern(f, metric),
	    .unit = intern(f, unit),
	    .model = model,
	    .before = before,
	    .after = after,
	    .low = low,
	    .high = high};
	struct pf_prediction *to = ROOM(f, prediction);

	if (!to)
		return;
	*to = p;
	pf_findings_last(f)->prediction_count++;
}

void
pf_add_measurement(struct pf_findings *f, const char *metric, const char *unit, uint32_t how)
{
	size_t count = f->prediction_count;

	pf_add_prediction(f, metric, unit, NAN, NAN, NAN, NAN, how);
	if (f->prediction_count > count)
		f->predictions[count].measure = true;
}

void
pf_add_caveat(struct pf_findings *f, enum pf_confidence most, uint32_t why)
{
	struct pf_finding *finding = pf_findings_last(f);
	uint32_t *to = ROOM(f, caveat);

	if (finding->confidence > most)
		finding->confidence = most;
	if (!to)
		return;
	*to = why;
	finding->caveat_count++;
}

static int
by_weight(const void *a, const void *b)
{
	const struct pf_finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity < y->severity ? 1 : -1;
	if (x->confidence != y->confidence)
		return x->confidence < y->confidence ? 1 : -1;
	if (x->cpu_saved != y->cpu_saved)
		return x->cpu_saved < y->cpu_saved ? 1 : -1;
	if (x->bytes_saved != y->bytes_saved)
		return x->bytes_saved < y->bytes_saved ? 1 : -1;
	return strcmp(x->kind, y->kind);
}

/* What is hardly sure is nothing to begin with, however severe it would be. */
static void
limit_severity(struct pf_finding *finding)
{
	if (finding->confidence <= PF_CONFIDENCE_LOW && finding->severity == PF_SEVERITY_HIGH)
		finding->severity = PF_SEVERITY_MEDIUM;
}

void
pf_findings_sort(struct pf_findings *f)
{
	for (size_t i = 0; i < f->finding_count; i++)
		limit_severity(&f->findings[i]);
	if (f->finding_count)
		qsort(f->findings, f->finding_count, sizeof *f->findings, by_weight);
}

/* What a stack's share is of: "" where all stacks of the finding are of one kind. */
static const char *
share_of(const struct pf_findings *f, const struct pf_finding *finding,
    const struct pf_evidence_stack *s)
{
	static const struct {
		const char *unit, *words;
	} units[] = {{"share_of_cpu", " of CPU time"}, {"share_of_allocation", " of allocating"},
	    {"bytes", " of bytes allocated"}};
	bool mixed = false;

	for (size_t i = 0; i < finding->stack_count; i++)
		mixed |= f->stacks[finding->first_stack + i].unit != s->unit;
	for (size_t i = 0; mixed && i < sizeof units / sizeof *units; i++) {
		if (strcmp(pf_said(f, s->unit), units[i].unit) == 0)
			return units[i].words;
	}
	return "";
}

const char *
pf_stack_share_text(char *text, const struct pf_findings *f, const struct pf_finding *finding,
    const struct pf_evidence_stack *s)
{
	char share[PF_AMOUNT_ROOM], own[PF_AMOUNT_ROOM];

	*text = '\0';
	if (isnan(s->share))
		return text;
	pf_amount(share, s->share, "share");
	if (isnan(s->own))
		snprintf(text, PF_SHARE_ROOM, "%s%s", share, share_of(f, finding, s));
	else
		snprintf(text, PF_SHARE_ROOM, "%s%s, of which this stack %s", share,
		    share_of(f, finding, s), pf_amount(own, s->own, "share"));
	return text;
}

const char *
pf_severity_name(enum pf_severity severity)
{
	static const char *const names[] = {"low", "medium", "high"};

	return names[severity];
}

const char *
pf_confidence_name(enum pf_confidence confidence)
{
	static const char *const names[] = {"unsure", "low", "medium", "high"};

	return names[confidence];
}

static void
scaled(char *text, double value, double step, const char *const *units, size_t count)
{
	size_t i = 0;

	while (i + 1 < count && fabs(value) >= step) {
		value /= step;
		i++;
	}
	snprintf(text, PF_AMOUNT_ROOM,
	    fabs(value) >= 100 || value == floor(value) ? "%.0f %s" : "%.1f %s", value, units[i]);
}

/* 26287, and 13418 of 13417.6: three digits are enough of smaller ones. */
static bool
is_told_whole(double value)
{
	return (value == floor(value) || fabs(value) >= 1000) && fabs(value) < 1e15;
}

const char *
pf_amount(char *text, double value, const char *unit)
{
	static const char *const bytes[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	static const char *const rates[] = {"B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s"};
	static const char *const times[] = {"ns", "µs", "ms", "s"};
	bool per_second = strcmp(unit, "per_second") == 0;

	if (isnan(value))
		snprintf(text, PF_AMOUNT_ROOM, "unknown");
	else if (isinf(value))
		snprintf(text, PF_AMOUNT_ROOM, "unlimited");
	else if (strcmp(unit, "bytes") == 0)
		scaled(text, value, 1024, bytes, sizeof bytes / sizeof *bytes);
	else if (strcmp(unit, "bytes_per_second") == 0)
		scaled(text, value, 1024, rates, sizeof rates / sizeof *rates);
	else if (strcmp(unit, "share") == 0)
		snprintf(text, PF_AMOUNT_ROOM, "%.1f %%", value * 100);
	else if (strcmp(unit, "seconds") == 0 && fabs(value) >= 7200)
		snprintf(text, PF_AMOUNT_ROOM, fabs(value) >= 2 * 86400 ? "%.1f days" : "%.1f h",
		    value / (fabs(value) >= 2 * 86400 ? 86400 : 3600));
	else if (strcmp(unit, "seconds") == 0)
		scaled(text, value * 1e9, 1000, times, sizeof times / sizeof *times);
	else
		snprintf(text, PF_AMOUNT_ROOM, is_told_whole(value) ? "%.0f%s%s" : "%.3g%s%s",
		    value, strcmp(unit, "count") == 0 || per_second ? "" : " ",
		    strcmp(unit, "count") == 0 ? ""
		    : per_second               ? "/s"
					       : unit);
	return text;
}
