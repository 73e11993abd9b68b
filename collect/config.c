/* config.c: the file as a whole; see config.h. Jobs are in config_job.c, triggers in config_trigger.c. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"

enum { PROBLEMS_MAX = 1 << 20, NOTES_MAX = 1 << 20 };

static const struct pf_config defaults = {.interval = 600,
    .timeout = 30,
    .seconds = 30,
    .seed = 1,
    .listen = "127.0.0.1:2122",
    .budget = {.target = 0.01,
	.service = 0.005,
	.fleet = 0.001,
	.cpu_overhead = 0.02,
	.snapshot_cost = 0.05,
	.trigger_reserve = 0.2},
    .breaker = {.failure_share = 0.5, .least = 10, .pause = 300}};

#define GLOBAL(MEMBER) offsetof(struct pf_config, MEMBER)

static void
read_global(struct pf_reading *r, const struct pf_place *place, void *object)
{
	static const struct pf_field fields[] = {
	    {"scrape_interval", PF_FIELD_DURATION, GLOBAL(interval)},
	    {"scrape_timeout", PF_FIELD_DURATION, GLOBAL(timeout)},
	    {"seconds", PF_FIELD_COUNT, GLOBAL(seconds)},
	    {"types", PF_FIELD_STRINGS, GLOBAL(types)},
	    {"type", PF_FIELD_STRINGS, GLOBAL(types)},
	    {"seed", PF_FIELD_COUNT, GLOBAL(seed)},
	    {"external_labels", PF_FIELD_MAP, GLOBAL(external_labels)},
	    {NULL},
	};
	struct pf_config *c = object;

	pf_fields_read(r, place, fields, c);
	pf_config_check_types(r, place, "types", &c->types);
	for (size_t i = 0; i < c->external_labels.count; i++) {
		if (!pf_label_name_valid(c->external_labels.items[i].name))
			pf_problem(r, place, "external_labels: %s can't be a label's name",
			    c->external_labels.items[i].name);
	}
}

static void
read_budget(struct pf_reading *r, const struct pf_place *place, void *object)
{
#define BUDGET(MEMBER) offsetof(struct pf_budget_config, MEMBER)
	static const struct pf_field fields[] = {
	    {"target", PF_FIELD_SHARE, BUDGET(target)},
	    {"service", PF_FIELD_SHARE, BUDGET(service)},
	    {"fleet", PF_FIELD_SHARE, BUDGET(fleet)},
	    {"cpu_overhead", PF_FIELD_SHARE, BUDGET(cpu_overhead)},
	    {"snapshot_cost", PF_FIELD_DURATION, BUDGET(snapshot_cost)},
	    {"trigger_reserve", PF_FIELD_SHARE, BUDGET(trigger_reserve)},
	    {NULL},
	};
	struct pf_budget_config *b = object;

	pf_fields_read(r, place, fields, b);
	if (b->target <= 0 || b->service <= 0 || b->fleet <= 0)
		pf_problem(r, place, "a ceiling of 0 would allow nothing");
	if (b->cpu_overhead <= 0 || b->cpu_overhead > 1)
		pf_problem(r, place, "cpu_overhead must be above 0%% and at most 100%%");
	if (b->trigger_reserve >= 1)
		pf_problem(r, place, "trigger_reserve must be below 100%%");
}

static void
read_breaker(struct pf_reading *r, const struct pf_place *place, void *object)
{
#define BREAKER(MEMBER) offsetof(struct pf_breaker_config, MEMBER)
	static const struct pf_field fields[] = {
	    {"failures", PF_FIELD_SHARE, BREAKER(failure_share)},
	    {"attempts", PF_FIELD_COUNT, BREAKER(least)},
	    {"pause", PF_FIELD_DURATION, BREAKER(pause)},
	    {NULL},
	};
	struct pf_breaker_config *b = object;

	pf_fields_read(r, place, fields, b);
	if (b->failure_share <= 0 || b->failure_share > 1)
		pf_problem(r, place, "failures must be above 0%% and at most 100%%");
	if (!b->least || b->least > 1000)
		pf_problem(r, place, "attempts must be from 1 to 1000");
}

static void
read_retention_rule(
    struct pf_reading *r, const struct pf_place *place, struct pf_retention_config *rule)
{
#define RETENTION(MEMBER) offsetof(struct pf_retention_config, MEMBER)
	static const struct pf_field fields[] = {
	    {"types", PF_FIELD_STRINGS, RETENTION(types)},
	    {"type", PF_FIELD_STRINGS, RETENTION(types)},
	    {"triggered", PF_FIELD_BOOL, RETENTION(triggered)},
	    {"max_age", PF_FIELD_DURATION, RETENTION(max_age)},
	    {"max_bytes", PF_FIELD_SIZE, RETENTION(max_bytes)},
	    {NULL},
	};

	pf_fields_read(r, place, fields, rule);
	pf_config_check_types(r, place, "types", &rule->types);
}

static void
read_retention(struct pf_reading *r, const struct pf_place *place, void *object)
{
	struct pf_config *c = object;

	if (!pf_place_is_list(r, place))
		return;
	c->retention = pf_reading_get(r, place->node->count * sizeof *c->retention);
	for (size_t i = 0; c->retention && i < place->node->count; i++) {
		struct pf_place item = pf_place_item(place, i);
		read_retention_rule(r, &item, &c->retention[i]);
		c->retention_count++;
	}
}

static void
read_listen_tls(struct pf_reading *r, const struct pf_place *place, void *object)
{
#define TLS(MEMBER) offsetof(struct pf_tls_settings, MEMBER)
	static const struct pf_field fields[] = {
	    {"cert_file", PF_FIELD_PATH, TLS(cert_file)},
	    {"key_file", PF_FIELD_PATH, TLS(key_file)},
	    {NULL},
	};
	struct pf_tls_settings *tls = object;

	pf_fields_read(r, place, fields, tls);
	if (!tls->cert_file || !tls->key_file)
		pf_problem(r, place, "cert_file and key_file belong together");
}

static void
read_shard(struct pf_reading *r, const struct pf_place *place, void *object)
{
	uint64_t i, n;

	if (place->node->kind != PF_NODE_TEXT || !pf_parse_shard(place->node->text, &i, &n))
		pf_problem(r, place, "expected i/n with i below n, such as 0/2");
	else
		*(const char **)object = place->node->text;
}

static const struct pf_field fields[] = {
    {"global", PF_FIELD_CUSTOM, 0, .custom = read_global},
    {"listen", PF_FIELD_STRING, GLOBAL(listen)},
    {"listen_token_file", PF_FIELD_PATH, GLOBAL(listen_token_file)},
    {"listen_tls", PF_FIELD_CUSTOM, GLOBAL(listen_tls), .custom = read_listen_tls},
    {"store", PF_FIELD_PATH, GLOBAL(store)},
    {"shard", PF_FIELD_CUSTOM, GLOBAL(shard), .custom = read_shard},
    {"log_format", PF_FIELD_CHOICE, GLOBAL(log_format), .choices = "logfmt|json"},
    {"max_in_flight", PF_FIELD_COUNT, GLOBAL(max_in_flight)},
    {"budget", PF_FIELD_CUSTOM, GLOBAL(budget), .custom = read_budget},
    {"breaker", PF_FIELD_CUSTOM, GLOBAL(breaker), .custom = read_breaker},
    {"retention", PF_FIELD_CUSTOM, 0, .custom = read_retention},
    {"scrape_configs", PF_FIELD_CUSTOM, 0, .custom = pf_jobs_read},
    {"triggers", PF_FIELD_CUSTOM, 0, .custom = pf_triggers_read},
    {NULL},
};

bool
pf_parse_shard(const char *text, uint64_t *i, uint64_t *n)
{
	char *end;

	if (strspn(text, "0123456789/") != strlen(text))
		return false;
	*i = strtoull(text, &end, 10);
	if (end == text || *end != '/' || !end[1])
		return false;
	*n = strtoull(end + 1, &end, 10);
	return !*end && *n && *i < *n;
}

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

bool
pf_config_type_known(const char *type)
{
	static const char *const types[] = {
	    "cpu", "heap", "allocs", "goroutine", "mutex", "block", "threads", NULL};

	return is_one_of(type, types);
}

void
pf_config_check_types(struct pf_reading *r, const struct pf_place *place, const char *key,
    const struct pf_words *types)
{
	struct pf_place at = {.parent = place, .key = key, .node = pf_node_get(place->node, key)};

	for (size_t i = 0; i < types->count; i++) {
		if (!pf_config_type_known(types->items[i]))
			pf_problem(r, at.node ? &at : place,
			    "%s: there are cpu, heap, allocs, goroutine, mutex, block and threads",
			    types->items[i]);
	}
}

/* A key's turn: what others refer to is read first, in whatever order the file has them. */
static int
turn(const char *key)
{
	static const char *const first[] = {"global", "budget", NULL};

	return is_one_of(key, first) ? 0 : strcmp(key, "scrape_configs") == 0 ? 1 : 2;
}

static void
read_root(struct pf_reading *r, const struct pf_place *root, struct pf_config *c)
{
	struct pf_place place = *root;
	size_t count = root->node->count;

	for (int now = 0; now < 3; now++) {
		struct pf_node *map = pf_reading_get(r, sizeof *map);
		if (!map)
			return;
		*map = *root->node;
		map->keys = pf_reading_get(r, (count + 1) * sizeof *map->keys);
		map->items = pf_reading_get(r, (count + 1) * sizeof *map->items);
		map->count = 0;
		for (size_t i = 0; map->keys && map->items && i < count; i++) {
			if (turn(root->node->keys[i]->text) != now)
				continue;
			map->keys[map->count] = root->node->keys[i];
			map->items[map->count++] = root->node->items[i];
		}
		place.node = map;
		pf_fields_read(r, &place, fields, c);
	}
}

static void note(struct pf_config *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(struct pf_config *c, const char *format, ...)
{
	char sentence[600];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	pf_buffer_printf(&c->notes, "%s\n", sentence);
}

/* What a job would cost each of its targets, as a share of their time. */
static double
planned_overhead(const struct pf_job_config *j)
{
	double cost = 0;

	for (size_t i = 0; i < j->types.count; i++)
		cost += strcmp(j->types.items[i], "cpu") == 0 ? (double)j->seconds * j->cpu_overhead
							      : j->snapshot_cost;
	if (j->sample.kind == PF_SAMPLE_SHARE)
		cost *= j->sample.share;
	return j->sample.kind == PF_SAMPLE_COUNT ? 0 : cost / j->interval;
}

static void
note_jobs(struct pf_config *c)
{
	for (size_t i = 0; i < c->job_count; i++) {
		const struct pf_job_config *j = &c->jobs[i];
		double planned = planned_overhead(j);
		double limit =
		    c->budget.fleet < c->budget.service ? c->budget.fleet : c->budget.service;
		if (planned > limit)
			note(c,
			    "%s:%zu: job %s plans %.3g %% of its targets' CPU, the budget allows "
			    "%.3g %%: about %.0f %% of the plan will be carried out (a longer "
			    "scrape_interval, or sample:, makes it fit)",
			    c->path, j->line, j->name, 100 * planned, 100 * limit,
			    100 * limit / planned);
		if (j->client.tls.insecure)
			note(c,
			    "%s:%zu: job %s: certificates are NOT verified: whoever sits in "
			    "between can read credentials and forge profiles",
			    c->path, j->line, j->name);
	}
}

static const char *
folder_of(struct pf_pool *pool, const char *path, struct pf_error *err)
{
	const char *slash = strrchr(path, '/');

	return slash ? pf_pool_copy(pool, path, slash == path ? 1 : (size_t)(slash - path), err)
		     : NULL;
}

static int
read_config(struct pf_config *c, const struct pf_buffer *bytes, struct pf_problems *problems,
    struct pf_error *err)
{
	struct pf_reading r = {.pool = &c->pool, .problems = problems};
	struct pf_place place = {0};
	struct pf_node *root;
	int rc = pf_document_parse(
	    &root, &c->pool, c->path, (const char *)bytes->bytes, bytes->size, false, err);

	if (rc)
		return rc;
	if (!root)
		return pf_error_set(err, PF_EUSAGE, "%s: empty", c->path);
	r.folder = folder_of(&c->pool, c->path, err);
	place.node = root;
	if (root->kind != PF_NODE_MAP)
		pf_problem(&r, &place, "expected a mapping, not %s", pf_node_kind_name(root));
	else
		read_root(&r, &place, c);
	if (root->kind == PF_NODE_MAP && !c->job_count && !problems->count)
		pf_problem(&r, &place, "no scrape_configs: there is nothing to collect");
	return problems->fatal ? pf_error_nomem(err) : 0;
}

int
pf_config_load(
    struct pf_config **config, const char *path, struct pf_buffer *problems, struct pf_error *err)
{
	struct pf_problems found = {.name = path};
	struct pf_buffer bytes;
	struct pf_config *c;
	int rc = PF_CALLOC(*config, 1, err);

	if (rc)
		return rc;
	c = *config;
	*c = defaults;
	pf_buffer_init(&c->notes, NOTES_MAX);
	pf_buffer_init(&found.text, PROBLEMS_MAX);
	pf_buffer_init(&bytes, PF_DOCUMENT_MAX_SIZE);
	c->path = pf_pool_copy(&c->pool, path, strlen(path), err);
	rc = c->path ? pf_file_read(path, &bytes, err) : PF_ENOMEM;
	if (!rc)
		rc = read_config(c, &bytes, &found, err);
	if (!rc && found.count) {
		pf_buffer_add(problems, found.text.bytes, found.text.size);
		rc = pf_error_set(err, PF_EUSAGE, "%s: %zu mistake%s", path, found.count,
		    found.count == 1 ? "" : "s");
	}
	if (!rc)
		note_jobs(c);
	pf_buffer_release(&bytes);
	pf_buffer_release(&found.text);
	if (rc) {
		pf_config_free(c);
		*config = NULL;
	}
	return rc;
}

static void
release_client(struct pf_client_config *client)
{
	pf_credentials_release(&client->credentials);
}

void
pf_config_free(struct pf_config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->job_count; i++) {
		struct pf_job_config *j = &c->jobs[i];
		release_client(&j->client);
		for (size_t k = 0; k < j->http_count; k++)
			release_client(&j->https[k].client);
		pf_relabel_release(&j->relabel);
	}
	for (size_t i = 0; i < c->trigger_count; i++)
		release_client(&c->triggers[i].client);
	pf_buffer_release(&c->notes);
	pf_pool_release(&c->pool);
	free(c);
}
