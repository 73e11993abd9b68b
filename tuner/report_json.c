/* report_json.c: findings as one JSON object (schema profuse.tune.v1, docs/tune.md). */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "core/error.h"
#include "tuner/json.h"
#include "tuner/tune.h"

static int
add_bytes(const char *bytes, size_t size, void *out)
{
	pf_buffer_add(out, bytes, size);
	return 0;
}

int
pf_json_write(json_t *root, struct pf_buffer *out, struct pf_error *err)
{
	int failed = !root || json_dump_callback(root, add_bytes, out, JSON_INDENT(2));

	json_decref(root);
	pf_buffer_byte(out, '\n');
	return failed ? pf_error_nomem(err) : pf_buffer_check(out, err);
}

/* Text from profiles may be anything; JSON takes UTF-8. */
static json_t *
text(const char *s)
{
	json_t *value = json_string(s);

	return value ? value : json_string_nocheck("?");
}

/* Infinite and unknown figures have no number in JSON. */
static json_t *
real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *
said(const struct pf_findings *f, uint32_t id)
{
	return id ? text(pf_said(f, id)) : json_null();
}

static json_t *
stacks(const struct pf_findings *f, const struct pf_finding *finding)
{
	json_t *list = json_array();

	for (size_t i = 0; i < finding->stack_count; i++) {
		const struct pf_evidence_stack *s = &f->stacks[finding->first_stack + i];
		json_t *stack = json_object(), *functions = json_array();

		for (size_t j = 0; j < s->frame_count; j++)
			json_array_append_new(functions, said(f, f->frames[s->first_frame + j]));
		json_object_set_new(stack, "functions", functions);
		json_object_set_new(stack, "value", real(s->value));
		json_object_set_new(stack, "unit", said(f, s->unit));
		json_object_set_new(stack, "share", real(s->share));
		json_object_set_new(stack, "own_share", real(isnan(s->own) ? s->share : s->own));
		json_array_append_new(list, stack);
	}
	return list;
}

static json_t *
numbers(const struct pf_findings *f, const struct pf_finding *finding)
{
	json_t *list = json_array();

	for (size_t i = 0; i < finding->number_count; i++) {
		const struct pf_number *n = &f->numbers[finding->first_number + i];
		json_t *number = json_object();

		json_object_set_new(number, "name", said(f, n->name));
		json_object_set_new(number, "value", real(n->value));
		json_object_set_new(number, "unit", said(f, n->unit));
		if (!isnan(n->low)) {
			json_object_set_new(number, "low", real(n->low));
			json_object_set_new(number, "high", real(n->high));
		}
		json_array_append_new(list, number);
	}
	return list;
}

static json_t *
advice(const struct pf_findings *f, const struct pf_finding *finding)
{
	json_t *list = json_array();

	for (size_t i = 0; i < finding->advice_count; i++) {
		const struct pf_advice *a = &f->advices[finding->first_advice + i];
		json_t *item = json_object();

		json_object_set_new(item, "action", said(f, a->action));
		json_object_set_new(item, "setting", said(f, a->setting));
		json_object_set_new(item, "how", said(f, a->how));
		json_object_set_new(item, "versions", said(f, a->versions));
		json_object_set_new(item, "risk", said(f, a->risk));
		json_object_set_new(item, "undo", said(f, a->undo));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *
predicted(const struct pf_findings *f, const struct pf_finding *finding)
{
	json_t *list = json_array();

	for (size_t i = 0; i < finding->prediction_count; i++) {
		const struct pf_prediction *p = &f->predictions[finding->first_prediction + i];
		json_t *item = json_object();

		json_object_set_new(item, "metric", said(f, p->metric));
		json_object_set_new(item, "unit", said(f, p->unit));
		json_object_set_new(item, "before", real(p->before));
		json_object_set_new(item, "after", real(p->after));
		json_object_set_new(item, "low", real(p->low));
		json_object_set_new(item, "high", real(p->high));
		json_object_set_new(item, p->measure ? "measure" : "model", said(f, p->model));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *
caveats(const struct pf_findings *f, const struct pf_finding *finding)
{
	json_t *list = json_array();

	for (size_t i = 0; i < finding->caveat_count; i++)
		json_array_append_new(list, said(f, f->caveats[finding->first_caveat + i]));
	return list;
}

static json_t *
finding_json(const struct pf_findings *f, const struct pf_finding *finding)
{
	json_t *root = json_object(), *evidence = json_object();

	json_object_set_new(root, "kind", json_string(finding->kind));
	json_object_set_new(root, "severity", json_string(pf_severity_name(finding->severity)));
	json_object_set_new(
	    root, "confidence", json_string(pf_confidence_name(finding->confidence)));
	json_object_set_new(root, "title", said(f, finding->title));
	json_object_set_new(root, "summary", said(f, finding->summary));
	json_object_set_new(evidence, "numbers", numbers(f, finding));
	json_object_set_new(evidence, "stacks", stacks(f, finding));
	json_object_set_new(root, "evidence", evidence);
	json_object_set_new(root, "advice", advice(f, finding));
	json_object_set_new(root, "predicted", predicted(f, finding));
	json_object_set_new(root, "caveats", caveats(f, finding));
	json_object_set_new(root, "cpu_saved", real(finding->cpu_saved));
	json_object_set_new(root, "bytes_saved", real(finding->bytes_saved));
	return root;
}

static json_t *
service_json(const struct pf_tune *t)
{
	const struct pf_evidence *e = &t->evidence;
	json_t *service = json_object();

	json_object_set_new(service, "name", text(e->service));
	json_object_set_new(service, "allocator", json_string(pf_allocator_name(e->allocator)));
	json_object_set_new(service, "allocator_version",
	    *e->allocator_version ? text(e->allocator_version) : json_null());
	json_object_set_new(service, "rss", real(pf_evidence_rss(e)));
	json_object_set_new(service, "memory_limit", real(e->memory_limit));
	json_object_set_new(service, "cpus", real(e->cpus));
	json_object_set_new(service, "cores_used", real(t->cores_used));
	return service;
}

static json_t *
strings_json(const struct pf_strings *s)
{
	json_t *list = json_array();

	for (uint32_t i = 1; i < s->count; i++)
		json_array_append_new(list, text(pf_strings_get(s, i)));
	return list;
}

static json_t *
time_json(int64_t nanos)
{
	char shown[PF_TUNE_TIME_ROOM];

	return json_string(pf_tune_time_text(shown, nanos));
}

static json_t *
stored_text(const struct pf_stored *s, uint32_t id)
{
	return text(pf_strings_get(&s->strings, id));
}

static json_t *
stored_json(const struct pf_stored *s)
{
	json_t *stored = json_object();

	json_object_set_new(stored, "selected", json_integer((json_int_t)s->selected));
	json_object_set_new(stored, "read", json_integer((json_int_t)s->read));
	json_object_set_new(
	    stored, "of_other_builds", json_integer((json_int_t)s->of_other_builds));
	json_object_set_new(stored, "instances", json_integer((json_int_t)s->instances));
	json_object_set_new(
	    stored, "build_id", s->build_id ? stored_text(s, s->build_id) : json_null());
	json_object_set_new(stored, "from", time_json(s->from_nanos));
	json_object_set_new(stored, "to", time_json(s->to_nanos));
	return stored;
}

static json_t *
triggers_json(const struct pf_stored *s)
{
	json_t *triggers = json_array();

	for (size_t i = 0; i < s->firing_count; i++) {
		const struct pf_firing *f = &s->firings[i];
		json_t *firing = json_object(), *types = json_array();

		for (size_t k = 0; k < s->type_count; k++) {
			if (f->types >> k & 1)
				json_array_append_new(types, stored_text(s, s->types[k]));
		}
		json_object_set_new(firing, "trigger", stored_text(s, f->trigger));
		json_object_set_new(firing, "reason", stored_text(s, f->reason));
		json_object_set_new(firing, "instance", stored_text(s, f->instance));
		json_object_set_new(firing, "time", time_json(f->start_nanos));
		json_object_set_new(firing, "types", types);
		json_array_append_new(triggers, firing);
	}
	return triggers;
}

static json_t *
variables_json(const struct pf_setting *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->variable_count; i++)
		json_array_append_new(list, text(s->variables[i]));
	return list;
}

static json_t *
trial_json(const struct pf_search *s, size_t i)
{
	static const char *const keys[PF_AIMS] = {"cpu", "rss_peak", "rss_idle", "p99"};
	const struct pf_trial *t = &s->trials[i];
	json_t *trial = json_object(), *measured = json_array();

	json_object_set_new(trial, "name", text(t->setting.name));
	json_object_set_new(
	    trial, "allocator", json_string(pf_allocator_name(t->setting.allocator)));
	json_object_set_new(trial, "environment", variables_json(&t->setting));
	json_object_set_new(trial, "runs", json_integer((json_int_t)t->runs));
	for (int a = 0; a < PF_AIMS; a++)
		json_object_set_new(trial, keys[a], real(t->value[a]));
	json_object_set_new(
	    trial, "score", i && (t->capped || t->failed) ? json_null() : real(t->score));
	json_object_set_new(
	    trial, "dial", t->setting.dial > 0 ? json_real(t->setting.dial) : json_null());
	json_object_set_new(trial, "series", json_integer((json_int_t)t->setting.series));
	json_object_set_new(trial, "current", json_boolean(i == 0));
	json_object_set_new(trial, "pareto", json_boolean(t->pareto));
	json_object_set_new(trial, "breaks_cap", json_boolean(t->capped));
	json_object_set_new(trial, "failure", t->failed ? text(t->failure) : json_null());
	for (size_t r = 0; r < t->runs; r++) {
		json_t *run = json_object();

		json_object_set_new(run, "round", json_integer((json_int_t)t->measured[r].round));
		for (int a = 0; a < PF_AIMS; a++)
			json_object_set_new(run, keys[a], real(t->measured[r].value[a]));
		json_array_append_new(measured, run);
	}
	json_object_set_new(trial, "measured", measured);
	return trial;
}

static json_t *
validation_json(const struct pf_search *s, const struct pf_validation *v)
{
	json_t *root = json_object(), *metrics = json_array();

	json_object_set_new(root, "setting", text(s->trials[v->trial].setting.name));
	json_object_set_new(root, "pairs", json_integer((json_int_t)v->rounds));
	json_object_set_new(root, "change", real(v->change));
	json_object_set_new(root, "low", real(v->low));
	json_object_set_new(root, "high", real(v->high));
	json_object_set_new(root, "confidence", real(v->confidence));
	json_object_set_new(root, "supported", json_boolean(v->supported));
	for (int a = 0; a < PF_AIMS; a++) {
		const struct pf_bench_metric *m = &v->metric[a];
		json_t *metric;

		if (!v->has_metric[a])
			continue;
		metric = json_object();
		json_object_set_new(
		    metric, "metric", json_string(pf_aim_metric((enum pf_aim)a, s->service)));
		json_object_set_new(metric, "before", real(m->before));
		json_object_set_new(metric, "after", real(m->after));
		json_object_set_new(metric, "change", real(m->comparison.change));
		json_object_set_new(metric, "low",
		    m->comparison.has_interval ? real(m->comparison.low) : json_null());
		json_object_set_new(metric, "high",
		    m->comparison.has_interval ? real(m->comparison.high) : json_null());
		json_array_append_new(metrics, metric);
	}
	json_object_set_new(root, "metrics", metrics);
	return root;
}

static json_t *
search_json(const struct pf_search *s)
{
	json_t *root = json_object(), *weights = json_object(), *settings = json_array(),
	       *list = json_array();
	const struct pf_trial *winner = pf_search_winner(s);

	for (int a = 0; a < PF_AIMS; a++)
		json_object_set_new(weights, pf_aim_names[a], real(s->weight[a]));
	for (size_t i = 0; i < s->count; i++)
		json_array_append_new(settings, trial_json(s, i));
	for (size_t i = 0; i < s->validation_count; i++)
		json_array_append_new(list, validation_json(s, &s->validations[i]));
	json_object_set_new(root, "command", text(s->command));
	json_object_set_new(root, "service", json_boolean(s->service));
	json_object_set_new(root, "seed", json_integer((json_int_t)s->seed));
	json_object_set_new(root, "weights", weights);
	json_object_set_new(root, "exhaustive", json_boolean(s->exhaustive));
	json_object_set_new(root, "interrupted", json_boolean(s->interrupted));
	json_object_set_new(root, "runs", json_integer((json_int_t)s->runs));
	json_object_set_new(root, "grid_runs", json_integer((json_int_t)pf_search_grid_runs(s)));
	json_object_set_new(root, "validation_runs", json_integer((json_int_t)s->validation_runs));
	json_object_set_new(root, "verdict", text(s->verdict));
	json_object_set_new(root, "recommended", winner ? text(winner->setting.name) : json_null());
	json_object_set_new(
	    root, "environment", winner ? variables_json(&winner->setting) : json_array());
	json_object_set_new(root, "settings", settings);
	json_object_set_new(root, "validations", list);
	return root;
}

int
pf_tune_json(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err)
{
	const struct pf_findings *f = &t->findings;
	json_t *root = json_object(), *findings = json_array();

	json_object_set_new(root, "schema", json_string("profuse.tune.v1"));
	json_object_set_new(root, "time", json_string(t->started));
	json_object_set_new(root, "service", service_json(t));
	json_object_set_new(root, "inputs", strings_json(&t->inputs));
	if (t->stored.selected) {
		json_object_set_new(root, "stored", stored_json(&t->stored));
		json_object_set_new(root, "triggers", triggers_json(&t->stored));
	}
	for (size_t i = 0; i < f->finding_count; i++)
		json_array_append_new(findings, finding_json(f, &f->findings[i]));
	json_object_set_new(root, "findings", findings);
	json_object_set_new(root, "not_judged", strings_json(&t->unjudged));
	if (t->search)
		json_object_set_new(root, "search", search_json(t->search));
	return pf_json_write(root, out, err);
}
