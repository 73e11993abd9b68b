/*
 * report_markdown.c: findings for a ticket or a pull request.
 *
 * Names come from profiles: outside of code spans what Markdown and HTML would
 * read is escaped, inside of them backquotes are replaced.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tuner/tune.h"

enum { FRAMES_SHOWN = 8, FIRINGS_SHOWN = 50 };

static void
escaped(struct pf_buffer *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\\`*_[]<>|#", *text))
			pf_buffer_byte(out, '\\');
		pf_buffer_byte(out, *text == '\n' || *text == '\r' ? ' ' : (uint8_t)*text);
	}
}

static void
code(struct pf_buffer *out, const char *text)
{
	pf_buffer_byte(out, '`');
	for (; *text; text++)
		pf_buffer_byte(out, *text == '`' ? '\'' : *text == '\n' ? ' ' : (uint8_t)*text);
	pf_buffer_byte(out, '`');
}

static void
write_numbers(const struct pf_findings *f, const struct pf_finding *finding, struct pf_buffer *out)
{
	char text[256], name[64];

	if (!finding->number_count)
		return;
	pf_buffer_string(out, "| evidence | |\n|---|---|\n");
	for (size_t i = 0; i < finding->number_count; i++) {
		const struct pf_number *n = &f->numbers[finding->first_number + i];
		pf_label_text(pf_said(f, n->name), name, sizeof name);
		pf_number_text(f, n, text, sizeof text);
		pf_buffer_printf(out, "| %s | ", name);
		escaped(out, text);
		pf_buffer_string(out, " |\n");
	}
	pf_buffer_byte(out, '\n');
}

static void
write_stacks(const struct pf_findings *f, const struct pf_finding *finding, struct pf_buffer *out)
{
	char share[PF_SHARE_ROOM];

	for (size_t i = 0; i < finding->stack_count; i++) {
		const struct pf_evidence_stack *s = &f->stacks[finding->first_stack + i];
		size_t shown[PF_MOST_SHORT], count = pf_stack_short(s, FRAMES_SHOWN, shown);
		size_t next = 0;

		pf_buffer_string(out, "- ");
		if (!isnan(s->share))
			pf_buffer_printf(out, "%s in ", pf_stack_share_text(share, f, finding, s));
		for (size_t j = 0; j < count; j++) {
			pf_buffer_string(out, j ? " ← " : "");
			pf_buffer_string(out, shown[j] > next ? "… ← " : "");
			code(out, pf_said(f, f->frames[s->first_frame + shown[j]]));
			next = shown[j] + 1;
		}
		pf_buffer_string(out, s->frame_count > next ? " ← …\n" : "\n");
	}
	if (finding->stack_count)
		pf_buffer_byte(out, '\n');
}

static void
item(struct pf_buffer *out, const struct pf_findings *f, const char *label, uint32_t id)
{
	if (!id)
		return;
	pf_buffer_printf(out, "   - %s: ", label);
	escaped(out, pf_said(f, id));
	pf_buffer_byte(out, '\n');
}

static void
write_advice(const struct pf_findings *f, const struct pf_finding *finding, struct pf_buffer *out)
{
	char text[1024];

	for (size_t i = 0; i < finding->advice_count; i++) {
		const struct pf_advice *a = &f->advices[finding->first_advice + i];

		pf_buffer_printf(out, "%zu. ", i + 1);
		escaped(out, pf_said(f, a->action));
		pf_buffer_byte(out, '\n');
		if (a->setting) {
			pf_buffer_string(out, "   - set: ");
			code(out, pf_said(f, a->setting));
			pf_buffer_byte(out, '\n');
		}
		item(out, f, "how", a->how);
		item(out, f, "versions", a->versions);
		item(out, f, "risk", a->risk);
		item(out, f, "undo", a->undo);
	}
	if (finding->prediction_count)
		pf_buffer_string(out, "\nExpected:\n\n");
	for (size_t i = 0; i < finding->prediction_count; i++) {
		pf_prediction_text(
		    f, &f->predictions[finding->first_prediction + i], text, sizeof text);
		pf_buffer_string(out, "- ");
		escaped(out, text);
		pf_buffer_byte(out, '\n');
	}
}

static void
write_search(const struct pf_search *s, struct pf_buffer *out)
{
	char cpu[PF_AMOUNT_ROOM], rss[PF_AMOUNT_ROOM], spent[160];
	bool idle = pf_aim_asked(s, PF_AIM_IDLE), p99 = pf_aim_asked(s, PF_AIM_P99);

	pf_search_spent_text(s, spent, sizeof spent);
	pf_buffer_string(out, "\n## Search for settings\n\n");
	escaped(out, s->verdict);
	pf_buffer_printf(out,
	    "\n\n%zu settings, %s; seed %llu. Settings that no other beats in both CPU and "
	    "memory, and those that ran beside today's in pairs:\n\n"
	    "| setting | %s | peak |%s%s what counts | runs |\n|---|---:|---:|%s%s---:|---:|\n",
	    s->count, spent, (unsigned long long)s->seed, s->service ? "CPU a request" : "CPU",
	    idle ? " idle |" : "", p99 ? " p99 |" : "", idle ? "---:|" : "", p99 ? "---:|" : "");
	for (size_t i = 0; i < s->count; i++) {
		const struct pf_trial *t = &s->trials[i];

		if (!pf_search_lists(s, i) || t->failed)
			continue;
		pf_buffer_string(out, "| ");
		escaped(out, t->setting.name);
		pf_buffer_printf(out, " | %s | %s |",
		    pf_amount(cpu, t->value[PF_AIM_CPU], "seconds"),
		    pf_amount(rss, t->value[PF_AIM_RSS], "bytes"));
		if (idle)
			pf_buffer_printf(
			    out, " %s |", pf_aim_amount(rss, t->value[PF_AIM_IDLE], PF_AIM_IDLE));
		if (p99)
			pf_buffer_printf(
			    out, " %s |", pf_aim_amount(cpu, t->value[PF_AIM_P99], PF_AIM_P99));
		pf_buffer_printf(out, " %+.1f %%%s | %zu |\n", expm1(t->score) * 100,
		    t->capped ? ", breaks the cap" : "", t->runs);
	}
}

static void
write_stored(const struct pf_stored *s, struct pf_buffer *out)
{
	char text[512], time[PF_TUNE_TIME_ROOM];

	pf_stored_text(s, text, sizeof text);
	pf_buffer_byte(out, '\n');
	escaped(out, text);
	pf_buffer_string(out, s->firing_count
				  ? "\n\n## Triggers that fired\n\n| when | instance | "
				    "trigger | why | profiles |\n|---|---|---|---|---|\n"
				  : "\n");
	for (size_t i = 0; i < s->firing_count && i < FIRINGS_SHOWN; i++) {
		const struct pf_firing *f = &s->firings[i];

		pf_firing_types_text(s, f, text, sizeof text);
		pf_buffer_printf(out, "| %s | ", pf_tune_time_text(time, f->start_nanos));
		escaped(out, pf_strings_get(&s->strings, f->instance));
		pf_buffer_string(out, " | ");
		escaped(out, pf_strings_get(&s->strings, f->trigger));
		pf_buffer_string(out, " | ");
		escaped(out, pf_strings_get(&s->strings, f->reason));
		pf_buffer_string(out, " | ");
		escaped(out, text);
		pf_buffer_string(out, " |\n");
	}
	if (s->firing_count > FIRINGS_SHOWN)
		pf_buffer_printf(
		    out, "\nand %zu more before that\n", s->firing_count - FIRINGS_SHOWN);
}

int
pf_tune_markdown(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err)
{
	const struct pf_findings *f = &t->findings;

	pf_buffer_string(out, "# Tuning report: ");
	escaped(out, t->evidence.service);
	pf_buffer_printf(out, "\n\n%s, from ", t->started);
	pf_tune_inputs_text(t, out);
	pf_buffer_printf(
	    out, ": %zu finding%s.\n", f->finding_count, f->finding_count == 1 ? "" : "s");
	if (!f->finding_count && t->inputs.count > 1)
		pf_buffer_printf(out, "\n%s\n", pf_nothing_text(t));
	for (uint32_t i = 1; i < t->unjudged.count; i++) {
		pf_buffer_string(out, "\n> ");
		escaped(out, pf_strings_get(&t->unjudged, i));
		pf_buffer_byte(out, '\n');
	}
	if (t->stored.selected)
		write_stored(&t->stored, out);
	for (size_t i = 0; i < f->finding_count; i++) {
		const struct pf_finding *finding = &f->findings[i];

		pf_buffer_printf(out, "\n## %zu. ", i + 1);
		escaped(out, pf_said(f, finding->title));
		pf_buffer_printf(out, "\n\n%s, severity %s, confidence %s.", finding->kind,
		    pf_severity_name(finding->severity), pf_confidence_name(finding->confidence));
		if (finding->summary) {
			pf_buffer_byte(out, ' ');
			escaped(out, pf_said(f, finding->summary));
		}
		pf_buffer_string(out, "\n\n");
		for (size_t j = 0; j < finding->caveat_count; j++) {
			pf_buffer_string(out, "> ");
			escaped(out, pf_said(f, f->caveats[finding->first_caveat + j]));
			pf_buffer_string(out, "\n\n");
		}
		write_numbers(f, finding, out);
		write_stacks(f, finding, out);
		write_advice(f, finding, out);
	}
	if (t->search)
		write_search(t->search, out);
	return pf_buffer_check(out, err);
}
