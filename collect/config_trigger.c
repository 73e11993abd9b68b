/* config_trigger.c: triggers: which metrics are watched, and what is profiled when they move. */
#include <math.h>
#include <string.h>

#include "config.h"
#include "net/url.h"

#define TRIGGER(MEMBER) offsetof(struct pf_trigger_config, MEMBER)

/* Which of the conditions is set; exactly one must be. */
static void
settle_kind(struct pf_reading *r, const struct pf_place *place, struct pf_trigger_config *t)
{
	const double conditions[] = {t->above, t->below, t->jump, t->share};
	int set = 0;

	for (int i = 0; i < 4; i++) {
		if (!isnan(conditions[i])) {
			t->kind = (enum pf_trigger_kind)i;
			set++;
		}
	}
	if (set != 1)
		pf_problem(r, place, "give one of above, below, jump and imbalance");
	if (!isnan(t->jump) && t->jump <= 1)
		pf_problem(r, place, "jump: how many times the usual value; above 1");
	if (!isnan(t->share) && (t->share <= 0 || t->share > 1))
		pf_problem(r, place, "imbalance: a share of the service, such as 70%%");
	if (t->query && t->kind == PF_TRIGGER_IMBALANCE)
		pf_problem(r, place, "imbalance needs a metric of the instances, not a query");
}

static void
check_source(struct pf_reading *r, const struct pf_place *place, const struct pf_trigger_config *t)
{
	struct pf_error err;
	struct pf_url *url;

	if (!t->metric == !t->query)
		pf_problem(r, place,
		    "give metric (of the targets' own metrics) or query (for a Prometheus server)");
	if (t->query && !t->prometheus)
		pf_problem(r, place, "query needs prometheus: the server's address");
	if (t->query && (t->quantile > 0 || t->rate || t->match.count))
		pf_problem(r, place, "quantile, rate and match belong into the query");
	if (!t->prometheus)
		return;
	if (pf_url_parse(&url, t->prometheus, &err))
		pf_problem(r, place, "prometheus: %s", err.message);
	else
		pf_url_free(url);
}

static void
check_trigger(struct pf_reading *r, const struct pf_place *place, const struct pf_trigger_config *t)
{
	if (!t->name)
		pf_problem(r, place, "no name");
	if (t->quantile < 0 || t->quantile >= 1)
		pf_problem(r, place, "quantile: from 0 to below 1, such as 0.95");
	if (t->interval < 1)
		pf_problem(r, place, "interval: must be at least 1s");
	if (t->seconds < 1 || t->seconds > 3600)
		pf_problem(r, place, "seconds: must be from 1 to 3600");
	if (t->window < 2 || t->window > 1000)
		pf_problem(r, place, "window: from 2 to 1000 scrapes");
	if (!t->most)
		pf_problem(r, place, "instances: at least 1");
	pf_config_check_types(r, place, "types", &t->types);
}

static void
check_jobs(struct pf_reading *r, const struct pf_place *place, const struct pf_config *c,
    const struct pf_trigger_config *t)
{
	for (size_t i = 0; i < t->jobs.count; i++) {
		size_t k = 0;
		while (k < c->job_count &&
		       !(c->jobs[k].name && strcmp(c->jobs[k].name, t->jobs.items[i]) == 0))
			k++;
		if (k == c->job_count)
			pf_problem(r, place, "jobs: there is no job %s", t->jobs.items[i]);
	}
}

static void
read_trigger(struct pf_reading *r, const struct pf_place *place, const struct pf_config *c,
    struct pf_trigger_config *t)
{
	static const struct pf_field fields[] = {
	    {"name", PF_FIELD_STRING, TRIGGER(name)},
	    {"jobs", PF_FIELD_STRINGS, TRIGGER(jobs)},
	    {"services", PF_FIELD_STRINGS, TRIGGER(services)},
	    {"metric", PF_FIELD_STRING, TRIGGER(metric)},
	    {"match", PF_FIELD_MAP, TRIGGER(match)},
	    {"quantile", PF_FIELD_NUMBER, TRIGGER(quantile)},
	    {"rate", PF_FIELD_BOOL, TRIGGER(rate)},
	    {"query", PF_FIELD_STRING, TRIGGER(query)},
	    {"prometheus", PF_FIELD_STRING, TRIGGER(prometheus)},
	    {"above", PF_FIELD_NUMBER, TRIGGER(above)},
	    {"below", PF_FIELD_NUMBER, TRIGGER(below)},
	    {"jump", PF_FIELD_NUMBER, TRIGGER(jump)},
	    {"imbalance", PF_FIELD_SHARE, TRIGGER(share)},
	    {"floor", PF_FIELD_NUMBER, TRIGGER(floor)},
	    {"interval", PF_FIELD_DURATION, TRIGGER(interval)},
	    {"for", PF_FIELD_DURATION, TRIGGER(wait)},
	    {"cooldown", PF_FIELD_DURATION, TRIGGER(cooldown)},
	    {"window", PF_FIELD_COUNT, TRIGGER(window)},
	    {"types", PF_FIELD_STRINGS, TRIGGER(types)},
	    {"type", PF_FIELD_STRINGS, TRIGGER(types)},
	    {"seconds", PF_FIELD_COUNT, TRIGGER(seconds)},
	    {"instances", PF_FIELD_COUNT, TRIGGER(most)},
	    {NULL},
	};
	static const char *all[] = {"cpu", "heap", "goroutine", "mutex"};

	*t = (struct pf_trigger_config){.above = NAN,
	    .below = NAN,
	    .jump = NAN,
	    .share = NAN,
	    .interval = 15,
	    .cooldown = 1800,
	    .window = 20,
	    .types = {all, 4},
	    .seconds = 30,
	    .most = 3,
	    .line = place->node->line};
	pf_client_read(r, place, fields, t, TRIGGER(client));
	if (place->node->kind != PF_NODE_MAP)
		return;
	settle_kind(r, place, t);
	check_source(r, place, t);
	check_trigger(r, place, t);
	check_jobs(r, place, c, t);
}

void
pf_triggers_read(struct pf_reading *r, const struct pf_place *place, void *object)
{
	struct pf_config *c = object;

	if (!pf_place_is_list(r, place))
		return;
	c->triggers = pf_reading_get(r, place->node->count * sizeof *c->triggers);
	for (size_t i = 0; c->triggers && i < place->node->count; i++) {
		struct pf_place item = pf_place_item(place, i);
		c->trigger_count++;
		read_trigger(r, &item, c, &c->triggers[i]);
		for (size_t k = 0; k < i; k++) {
			if (c->triggers[i].name && c->triggers[k].name &&
			    strcmp(c->triggers[i].name, c->triggers[k].name) == 0)
				pf_problem(r, &item, "name: %s is another trigger's name too",
				    c->triggers[i].name);
		}
	}
}
