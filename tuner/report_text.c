/* report_text.c: findings for a terminal, and the words that every report uses. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tuner/tune.h"

enum { FRAMES_SHOWN = 6, FIRINGS_SHOWN = 10 };

void
pf_label_text(const char *name, char *text, size_t size)
{
	size_t i = 0;

	for (; name[i] && i + 1 < size; i++)
		text[i] = name[i] == '_' ? ' ' : name[i];
	text[i] = '\0';
}

void
pf_number_text(const struct pf_findings *f, const struct pf_number *n, char *text, size_t size)
{
	char value[PF_AMOUNT_ROOM], low[PF_AMOUNT_ROOM], high[PF_AMOUNT_ROOM];
	const char *unit = pf_said(f, n->unit);

	if (strcmp(unit, "probability") == 0) {
		snprintf(text, size, n->value < 1e-4 ? "below 0.0001" : "%.2g", n->value);
		return;
	}
	pf_amount(value, n->value, unit);
	if (!isfinite(n->low) || !isfinite(n->high) || (n->low == n->value && n->high == n->value))
		snprintf(text, size, "%s", value);
	else
		snprintf(text, size, "%s (%s to %s)", value, pf_amount(low, n->low, unit),
		    pf_amount(high, n->high, unit));
}

void
pf_prediction_text(
    const struct pf_findings *f, const struct pf_prediction *p, char *text, size_t size)
{
	char name[64], before[PF_AMOUNT_ROOM], after[PF_AMOUNT_ROOM], low[PF_AMOUNT_ROOM],
	    high[PF_AMOUNT_ROOM];
	const char *unit = pf_said(f, p->unit);

	pf_label_text(pf_said(f, p->metric), name, sizeof name);
	if (p->measure) {
		snprintf(text, size, "%s: measure: %s", name, pf_said(f, p->model));
		return;
	}
	snprintf(text, size, "%s: %s → %s (%s to %s): %s", name, pf_amount(before, p->before, unit),
	    pf_amount(after, p->after, unit), pf_amount(low, p->low, unit),
	    pf_amount(high, p->high, unit), pf_said(f, p->model));
}

void
pf_stored_text(const struct pf_stored *s, char *text, size_t size)
{
	char from[PF_TUNE_TIME_ROOM], to[PF_TUNE_TIME_ROOM], build[32] = "";

	if (s->build_id)
		snprintf(
		    build, sizeof build, "build %.12s, ", pf_strings_get(&s->strings, s->build_id));
	snprintf(text, size, "%zu of %zu selected profiles were read: %zu instance%s, %s%s to %s.",
	    s->read, s->selected, s->instances, s->instances == 1 ? "" : "s", build,
	    pf_tune_time_text(from, s->from_nanos), pf_tune_time_text(to, s->to_nanos));
}

void
pf_firing_types_text(const struct pf_stored *s, const struct pf_firing *f, char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < s->type_count && length < size; i++) {
		if (f->types >> i & 1)
			length += (size_t)snprintf(text + length, size - length, "%s%s",
			    length ? ", " : "", pf_strings_get(&s->strings, s->types[i]));
	}
}

/* Where the profiles come from, and which triggers asked for some of them. */
static void
write_stored(const struct pf_stored *s, struct pf_buffer *out)
{
	char text[512], time[PF_TUNE_TIME_ROOM];

	pf_stored_text(s, text, sizeof text);
	pf_buffer_printf(out, "%s\n", text);
	if (s->firing_count)
		pf_buffer_string(out, "Triggers that fired:\n");
	for (size_t i = 0; i < s->firing_count && i < FIRINGS_SHOWN; i++) {
		const struct pf_firing *f = &s->firings[i];

		pf_firing_types_text(s, f, text, sizeof text);
		pf_buffer_printf(out, "  %s  %s  %s: %s (%s)\n",
		    pf_tune_time_text(time, f->start_nanos),
		    pf_strings_get(&s->strings, f->instance),
		    pf_strings_get(&s->strings, f->trigger), pf_strings_get(&s->strings, f->reason),
		    text);
	}
	if (s->firing_count > FIRINGS_SHOWN)
		pf_buffer_printf(
		    out, "  and %zu more before that\n", s->firing_count - FIRINGS_SHOWN);
}

/* "main.f ← main.g ← … ← main.h": frames from the leaf up, as many as fit, and the function that is blamed. */
static void
stack_line(const struct pf_findings *f, const struct pf_finding *finding,
    const struct pf_evidence_stack *s, struct pf_buffer *out)
{
	char share[PF_SHARE_ROOM];
	size_t shown[PF_MOST_SHORT], count = pf_stack_short(s, FRAMES_SHOWN, shown), next = 0;

	pf_buffer_printf(out, "    %8s  ", pf_stack_share_text(share, f, finding, s));
	for (size_t i = 0; i < count; i++) {
		pf_buffer_printf(out, "%s%s%s", i ? " ← " : "", shown[i] > next ? "… ← " : "",
		    pf_said(f, f->frames[s->first_frame + shown[i]]));
		next = shown[i] + 1;
	}
	if (s->frame_count > next)
		pf_buffer_printf(out, " ← %zu more", s->frame_count - next);
	pf_buffer_byte(out, '\n');
}

static void
write_advice(const struct pf_findings *f, const struct pf_finding *finding, struct pf_buffer *out)
{
	for (size_t i = 0; i < finding->advice_count; i++) {
		const struct pf_advice *a = &f->advices[finding->first_advice + i];

		pf_buffer_printf(out, "  %s %s\n", i ? "  " : "do", pf_said(f, a->action));
		if (a->setting)
			pf_buffer_printf(out, "       %s\n", pf_said(f, a->setting));
		if (a->how)
			pf_buffer_printf(out, "       %s\n", pf_said(f, a->how));
		if (a->versions)
			pf_buffer_printf(out, "       versions: %s\n", pf_said(f, a->versions));
		if (a->risk)
			pf_buffer_printf(out, "       risk: %s\n", pf_said(f, a->risk));
	}
}

static void
write_finding(const struct pf_findings *f, const struct pf_finding *finding, size_t number,
    struct pf_buffer *out)
{
	char text[1024], name[64];

	pf_buffer_printf(out, "\n%zu. %s  [%s, severity %s, confidence %s]\n", number,
	    pf_said(f, finding->title), finding->kind, pf_severity_name(finding->severity),
	    pf_confidence_name(finding->confidence));
	if (finding->summary)
		pf_buffer_printf(out, "  %s\n", pf_said(f, finding->summary));
	for (size_t i = 0; i < finding->number_count; i++) {
		const struct pf_number *n = &f->numbers[finding->first_number + i];
		pf_label_text(pf_said(f, n->name), name, sizeof name);
		pf_number_text(f, n, text, sizeof text);
		pf_buffer_printf(out, "    %s: %s\n", name, text);
	}
	for (size_t i = 0; i < finding->stack_count; i++)
		stack_line(f, finding, &f->stacks[finding->first_stack + i], out);
	for (size_t i = 0; i < finding->caveat_count; i++)
		pf_buffer_printf(
		    out, "  but %s\n", pf_said(f, f->caveats[finding->first_caveat + i]));
	write_advice(f, finding, out);
	for (size_t i = 0; i < finding->prediction_count; i++) {
		pf_prediction_text(
		    f, &f->predictions[finding->first_prediction + i], text, sizeof text);
		pf_buffer_printf(out, "  %s %s\n", i ? "        " : "expected", text);
	}
}

static void
write_trial(
    const struct pf_search *s, const struct pf_trial *t, const char *mark, struct pf_buffer *out)
{
	static const enum pf_aim more[] = {PF_AIM_IDLE, PF_AIM_P99};
	char cpu[PF_AMOUNT_ROOM], rss[PF_AMOUNT_ROOM], value[PF_AMOUNT_ROOM], asked[128] = "";

	/* CPU and memory always, of what else there is what was asked for. */
	for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
		size_t used = strlen(asked);

		if (pf_aim_asked(s, more[i]))
			snprintf(asked + used, sizeof asked - used, " %10s %s",
			    pf_aim_amount(value, t->value[more[i]], more[i]),
			    pf_aim_names[more[i]]);
	}
	if (t->failed)
		pf_buffer_printf(out, "  %-38s left out: %s\n", t->setting.name, t->failure);
	else
		pf_buffer_printf(out, "  %-38s %10s CPU %10s peak%s %+8.1f %%  %2zu run%s%s%s\n",
		    t->setting.name, pf_amount(cpu, t->value[PF_AIM_CPU], "seconds"),
		    pf_amount(rss, t->value[PF_AIM_RSS], "bytes"), asked, expm1(t->score) * 100,
		    t->runs, t->runs == 1 ? "" : "s", mark, t->capped ? "  breaks the cap" : "");
}

/* What keeps the caps comes first, then what counts. */
static bool
comes_before(const struct pf_trial *a, const struct pf_trial *b)
{
	return a->capped != b->capped ? b->capped : a->score < b->score;
}

/* Today's, the settings that nothing beats in both CPU and memory, and those that were validated, the best first. */
static void
write_search(const struct pf_search *s, struct pf_buffer *out)
{
	bool written[PF_MOST_TRIED] = {false};
	char spent[160];

	pf_search_spent_text(s, spent, sizeof spent);
	pf_buffer_printf(out, "\nTried %zu settings of %s in %s; seed %llu:\n", s->count,
	    s->command, spent, (unsigned long long)s->seed);
	write_trial(s, &s->trials[0], "  today", out);
	for (;;) {
		size_t best = 0;
		for (size_t i = 1; i < s->count; i++) {
			if (pf_search_lists(s, i) && !s->trials[i].failed && !written[i] &&
			    (!best || comes_before(&s->trials[i], &s->trials[best])))
				best = i;
		}
		if (!best)
			break;
		written[best] = true;
		write_trial(s, &s->trials[best], "", out);
	}
	for (size_t i = 1; i < s->count; i++) {
		if (s->trials[i].failed)
			write_trial(s, &s->trials[i], "", out);
	}
	pf_buffer_printf(out, "%s\n", s->verdict);
}

void
pf_tune_inputs_text(const struct pf_tune *t, struct pf_buffer *out)
{
	unsigned inputs = t->inputs.count - 1;

	if (inputs || !t->search)
		pf_buffer_printf(out, "%u input%s", inputs, inputs == 1 ? "" : "s");
	if (t->search)
		pf_buffer_printf(out, "%sa search for settings", inputs ? " and " : "");
}

const char *
pf_nothing_text(const struct pf_tune *t)
{
	return t->unjudged.count > 1 ? "No known problem was found in what could be judged."
				     : "No known problem was found in this evidence.";
}

int
pf_tune_text(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err)
{
	const struct pf_findings *f = &t->findings;
	const struct pf_evidence *e = &t->evidence;
	char rss[PF_AMOUNT_ROOM], limit[PF_AMOUNT_ROOM];

	pf_buffer_printf(out, "%s: %zu finding%s from ", e->service, f->finding_count,
	    f->finding_count == 1 ? "" : "s");
	pf_tune_inputs_text(t, out);
	if (e->allocator != PF_ALLOCATOR_UNKNOWN)
		pf_buffer_printf(out, "; allocator %s", pf_allocator_name(e->allocator));
	if (!isnan(pf_evidence_rss(e)))
		pf_buffer_printf(out, "; resident %s", pf_amount(rss, pf_evidence_rss(e), "bytes"));
	if (isfinite(e->memory_limit))
		pf_buffer_printf(out, isnan(pf_evidence_rss(e)) ? "; limit %s" : " of %s",
		    pf_amount(limit, e->memory_limit, "bytes"));
	pf_buffer_byte(out, '\n');
	if (t->stored.selected)
		write_stored(&t->stored, out);
	for (size_t i = 0; i < f->finding_count; i++)
		write_finding(f, &f->findings[i], i + 1, out);
	if (!f->finding_count && t->inputs.count > 1)
		pf_buffer_printf(out, "%s\n", pf_nothing_text(t));
	for (uint32_t i = 1; i < t->unjudged.count; i++)
		pf_buffer_printf(out, "%s\n", pf_strings_get(&t->unjudged, i));
	if (t->search)
		write_search(t->search, out);
	return pf_buffer_check(out, err);
}
