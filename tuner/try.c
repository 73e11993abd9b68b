/* try.c: a search's place in a tuning: what was found is a finding like any other, with its measurements. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "tuner/tune.h"

/* A search that may be run: what is wrong with the options shows before anything has taken its time. */
static int
new_search(struct pf_search **search, struct pf_try_options *o,
    const struct pf_try_options *options, struct pf_error *err)
{
	struct pf_search *s;
	int rc;

	if (options->struct_size > sizeof *o)
		return pf_error_set(
		    err, PF_EUSAGE, "the try options are of a newer library version");
	memcpy(o, options, options->struct_size);
	if (!o->command || !o->command[strspn(o->command, " \t")] || !o->bench)
		return pf_error_set(err, PF_EUSAGE, "--try needs a command");
	if (o->pairs && o->pairs < PF_TRY_LEAST_PAIRS)
		return pf_error_set(
		    err, PF_EUSAGE, "a search needs at least %d pairs", PF_TRY_LEAST_PAIRS);
	rc = PF_CALLOC(s, 1, err);
	if (rc)
		return rc;
	*search = s;
	rc = pf_copy_string(&s->command, o->command, err);
	if (!rc)
		rc = pf_aims_parse(s, o->weights, o->caps, o->cap_count, err);
	s->service = o->bench->url_count > 0;
	return rc ? rc : pf_aims_check(s, err);
}

int
pf_tune_check_try(const struct pf_try_options *options, struct pf_error *err)
{
	struct pf_try_options o = PF_TRY_OPTIONS_INIT;
	struct pf_search *s = NULL;
	int rc = new_search(&s, &o, options, err);

	pf_search_free(s);
	return rc;
}

int
pf_tune_try(struct pf_tune *t, const struct pf_try_options *options, struct pf_error *err)
{
	struct pf_try_options o = PF_TRY_OPTIONS_INIT;
	struct pf_search *s = NULL;
	int rc = new_search(&s, &o, options, err);

	if (!rc)
		rc = pf_search_run(s, &o, t->evidence.memory_limit, err);
	if (rc) {
		pf_search_free(s);
		return rc;
	}
	pf_search_free(t->search);
	t->search = s;
	return s->interrupted
		   ? pf_error_set(err, PF_EINCONCLUSIVE,
			 "the search was interrupted after %zu runs", s->runs + s->validation_runs)
		   : 0;
}

bool
pf_tune_has_search(const struct pf_tune *t)
{
	return t->search != NULL;
}

static void
add_metrics(struct pf_findings *f, const struct pf_search *s, const struct pf_validation *v)
{
	static const char *const units[PF_AIMS] = {"seconds", "bytes", "bytes", "seconds"};

	for (int a = 0; a < PF_AIMS; a++) {
		const struct pf_bench_metric *m = &v->metric[a];

		if (!v->has_metric[a] || !m->comparison.has_interval)
			continue;
		pf_add_prediction(f, pf_aim_metric((enum pf_aim)a, s->service), units[a], m->before,
		    m->after, m->before * (1 + m->comparison.low),
		    m->before * (1 + m->comparison.high),
		    pf_say(f, "measured in %zu pairs of runs", v->rounds));
	}
}

/* What today's settings have in their place: the search ran them in this process's own environment. */
static uint32_t
undo(struct pf_findings *f, const struct pf_setting *setting)
{
	char all[PF_SETTING_VARIABLES * PF_VARIABLE_ROOM] = "", name[PF_VARIABLE_ROOM];

	for (size_t i = 0; i < setting->variable_count; i++) {
		const char *today;
		size_t used = strlen(all);

		snprintf(name, sizeof name, "%s", setting->variables[i]);
		name[strcspn(name, "=")] = '\0';
		today = getenv(name);
		snprintf(all + used, sizeof all - used, "%s%s%s%s%s", i ? ", " : "",
		    today ? "" : "unset ", name, today ? "=" : "", today ? today : "");
	}
	return pf_say(f, "%s", all);
}

/* " (cpu -50.1 %, rss_peak -30.2 %, weighted 1 : 0.5)": of what the change is. */
static const char *
parts_text(char *text, size_t room, const struct pf_search *s, const struct pf_validation *v)
{
	char weights[64] = "";
	size_t used = 0, weighed = 0, parts = 0;

	*text = '\0';
	for (int a = 0; a < PF_AIMS; a++) {
		if (!(s->weight[a] > 0) || !v->has_metric[a])
			continue;
		used += (size_t)snprintf(text + used, room - used, "%s%s %+.1f %%",
		    parts ? ", " : " (", pf_aim_metric((enum pf_aim)a, s->service),
		    v->metric[a].comparison.change * 100);
		weighed += (size_t)snprintf(weights + weighed, sizeof weights - weighed, "%s%g",
		    parts++ ? " : " : "", s->weight[a]);
	}
	if (parts)
		snprintf(text + used, room - used, "%s%s)", parts > 1 ? ", weighted " : "",
		    parts > 1 ? weights : "");
	return text;
}

void
pf_search_finding(const struct pf_search *s, struct pf_findings *f)
{
	const struct pf_trial *winner = pf_search_winner(s);
	const struct pf_validation *v = pf_search_proof(s);
	struct pf_finding *finding;
	char all[PF_SETTING_VARIABLES * PF_VARIABLE_ROOM] = "", parts[256];

	if (!winner)
		return;
	for (size_t i = 0; i < winner->setting.variable_count; i++)
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " " : "",
		    winner->setting.variables[i]);
	finding = pf_findings_add(f, "allocator-settings",
	    s->trials[0].capped || v->change <= -0.15 ? PF_SEVERITY_HIGH
	    : v->change <= -0.05                      ? PF_SEVERITY_MEDIUM
						      : PF_SEVERITY_LOW,
	    PF_CONFIDENCE_HIGH,
	    v->high < 0
		? pf_say(f, "%s beats today's settings by %.1f %%%s", winner->setting.name,
		      -v->change * 100, parts_text(parts, sizeof parts, s, v))
		: pf_say(f, "%s keeps the cap that today's settings break", winner->setting.name));
	finding->summary = pf_say(f, "%s", s->verdict);
	if (v->has_metric[PF_AIM_CPU] && v->metric[PF_AIM_CPU].comparison.high < 0)
		finding->cpu_saved = -v->metric[PF_AIM_CPU].comparison.change;
	if (v->has_metric[PF_AIM_RSS] && v->metric[PF_AIM_RSS].comparison.has_interval)
		finding->bytes_saved = v->metric[PF_AIM_RSS].before - v->metric[PF_AIM_RSS].after;
	pf_add_estimate(f, "weighted_change", v->change, v->low, v->high, "share");
	pf_add_number(f, "settings_tried", (double)s->count, "count");
	pf_add_number(f, "runs", (double)s->runs, "count");
	pf_add_advice(f,
	    (struct pf_advice){.action = pf_say(f, "Run it with this environment."),
		.setting = pf_say(f, "%s", all),
		.how = pf_say(f,
		    "in the environment of the service (systemd: Environment=; containers: env)"),
		.versions = pf_say(f, "the libraries of this machine, as the search ran them"),
		.risk = pf_say(f, "Measured on the load that was given: under another load other "
				  "settings may win."),
		.undo = undo(f, &winner->setting)});
	add_metrics(f, s, v);
}
