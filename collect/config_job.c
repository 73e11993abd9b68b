/* config_job.c: scrape_configs: whom to ask, for what, how often. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "net/url.h"

enum { MAX_SECONDS = 3600 };

static void
check_labels(struct pf_reading *r, const struct pf_place *place, const struct pf_pairs *labels)
{
	struct pf_place at = {
	    .parent = place, .key = "labels", .node = pf_node_get(place->node, "labels")};

	for (size_t i = 0; i < labels->count; i++) {
		if (!pf_label_name_valid(labels->items[i].name))
			pf_problem(r, at.node ? &at : place, "%s can't be a label's name",
			    labels->items[i].name);
	}
}

static void
check_targets(struct pf_reading *r, const struct pf_place *place, const struct pf_words *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		if (strstr(targets->items[i], "://") || strchr(targets->items[i], '/'))
			pf_problem(r, place,
			    "targets[%zu]: %s: a target is HOST:PORT; scheme and profile_path are "
			    "the job's",
			    i, targets->items[i]);
	}
}

static void
read_statics(struct pf_reading *r, const struct pf_place *place, void *object)
{
#define STATIC(MEMBER) offsetof(struct pf_static_config, MEMBER)
	static const struct pf_field fields[] = {
	    {"targets", PF_FIELD_STRINGS, STATIC(targets)},
	    {"labels", PF_FIELD_MAP, STATIC(labels)},
	    {NULL},
	};
	struct pf_job_config *j = object;

	if (!pf_place_is_list(r, place))
		return;
	j->statics = pf_reading_get(r, place->node->count * sizeof *j->statics);
	for (size_t i = 0; j->statics && i < place->node->count; i++) {
		struct pf_place item = pf_place_item(place, i);
		pf_fields_read(r, &item, fields, &j->statics[i]);
		check_labels(r, &item, &j->statics[i].labels);
		check_targets(r, &item, &j->statics[i].targets);
		j->static_count++;
	}
}

static void
check_patterns(struct pf_reading *r, const struct pf_place *place, const struct pf_words *files)
{
	if (!files->count)
		pf_problem(r, place, "no files");
	for (size_t i = 0; i < files->count; i++) {
		const char *path = files->items[i], *slash = strrchr(path, '/');
		const char *star = strpbrk(path, "*?[");
		const char *dot = strrchr(path, '.');
		if (star && slash && star < slash)
			pf_problem(r, place, "%s: only the last part may be a pattern", path);
		if (!dot || (strcmp(dot, ".json") != 0 && strcmp(dot, ".yml") != 0 &&
				strcmp(dot, ".yaml") != 0))
			pf_problem(r, place, "%s: must end in .json, .yml or .yaml", path);
	}
}

/* Relative names are relative to the configuration's folder. */
static void
place_files(struct pf_reading *r, struct pf_words *files)
{
	for (size_t i = 0; r->folder && i < files->count; i++) {
		size_t size = strlen(r->folder) + strlen(files->items[i]) + 2;
		char *path;
		if (files->items[i][0] == '/')
			continue;
		path = pf_reading_get(r, size);
		if (!path)
			return;
		snprintf(path, size, "%s/%s", r->folder, files->items[i]);
		files->items[i] = path;
	}
}

static void
read_files(struct pf_reading *r, const struct pf_place *place, void *object)
{
#define FILES(MEMBER) offsetof(struct pf_file_sd_config, MEMBER)
	static const struct pf_field fields[] = {
	    {"files", PF_FIELD_STRINGS, FILES(files)},
	    {"refresh_interval", PF_FIELD_DURATION, FILES(refresh_interval)},
	    {NULL},
	};
	struct pf_job_config *j = object;

	if (!pf_place_is_list(r, place))
		return;
	j->files = pf_reading_get(r, place->node->count * sizeof *j->files);
	for (size_t i = 0; j->files && i < place->node->count; i++) {
		struct pf_place item = pf_place_item(place, i);
		j->files[i] = (struct pf_file_sd_config){.refresh_interval = 300};
		pf_fields_read(r, &item, fields, &j->files[i]);
		check_patterns(r, &item, &j->files[i].files);
		place_files(r, &j->files[i].files);
		if (j->files[i].refresh_interval <= 0)
			pf_problem(r, &item, "refresh_interval must be above 0");
		j->file_count++;
	}
}

static void
check_url(struct pf_reading *r, const struct pf_place *place, const char *address)
{
	struct pf_error err;
	struct pf_url *url;

	if (!address)
		pf_problem(r, place, "no url");
	else if (pf_url_parse(&url, address, &err))
		pf_problem(r, place, "url: %s", err.message);
	else
		pf_url_free(url);
}

static void
read_https(struct pf_reading *r, const struct pf_place *place, void *object)
{
#define HTTPS(MEMBER) offsetof(struct pf_http_sd_config, MEMBER)
	static const struct pf_field fields[] = {
	    {"url", PF_FIELD_STRING, HTTPS(url)},
	    {"refresh_interval", PF_FIELD_DURATION, HTTPS(refresh_interval)},
	    {NULL},
	};
	struct pf_job_config *j = object;

	if (!pf_place_is_list(r, place))
		return;
	j->https = pf_reading_get(r, place->node->count * sizeof *j->https);
	for (size_t i = 0; j->https && i < place->node->count; i++) {
		struct pf_place item = pf_place_item(place, i);
		j->https[i] = (struct pf_http_sd_config){.refresh_interval = 60};
		j->http_count++;
		pf_client_read(r, &item, fields, &j->https[i], HTTPS(client));
		check_url(r, &item, j->https[i].url);
		if (j->https[i].refresh_interval < 1)
			pf_problem(r, &item, "refresh_interval must be at least 1s");
	}
}

/* "5" instances or "10%" of them. */
static void
read_sample(struct pf_reading *r, const struct pf_place *place, void *object)
{
	struct pf_sample_config *s = object;
	const char *text = place->node->kind == PF_NODE_TEXT ? place->node->text : "";
	double value;

	if (strcmp(text, "all") == 0) {
		s->kind = PF_SAMPLE_ALL;
	} else if (strchr(text, '%') && pf_parse_share(text, &value) && value > 0 && value <= 1) {
		s->kind = PF_SAMPLE_SHARE;
		s->share = value;
	} else if (strspn(text, "0123456789") == strlen(text) && pf_parse_share(text, &value) &&
		   value >= 1) {
		s->kind = PF_SAMPLE_COUNT;
		s->count = (uint64_t)value;
	} else {
		pf_problem(
		    r, place, "expected a number of instances (5), a share of them (10%%), or all");
	}
}

static bool
has_type(const struct pf_words *types, const char *type)
{
	for (size_t i = 0; i < types->count; i++) {
		if (strcmp(types->items[i], type) == 0)
			return true;
	}
	return false;
}

static void
check_job(struct pf_reading *r, const struct pf_place *place, const struct pf_job_config *j)
{
	double busy = has_type(&j->types, "cpu") ? (double)j->seconds : 0;

	if (!j->name)
		pf_problem(r, place, "no job_name");
	if (strcmp(j->scheme, "http") != 0 && strcmp(j->scheme, "https") != 0)
		pf_problem(r, place, "scheme: %s: expected http or https", j->scheme);
	if (j->profile_path[0] != '/')
		pf_problem(r, place, "profile_path: %s: must begin with /", j->profile_path);
	if (j->metrics_path[0] != '/')
		pf_problem(r, place, "metrics_path: %s: must begin with /", j->metrics_path);
	if (j->seconds < 1 || j->seconds > MAX_SECONDS)
		pf_problem(r, place, "seconds: must be from 1 to %d", MAX_SECONDS);
	if (j->interval < 1)
		pf_problem(r, place, "scrape_interval: must be at least 1s");
	else if (j->interval < busy)
		pf_problem(r, place,
		    "a CPU profile of %.0f s does not fit into a scrape_interval of %g s", busy,
		    j->interval);
	if (j->timeout <= 0)
		pf_problem(r, place,
		    "scrape_timeout: must be above 0 (it begins when the window "
		    "is over)");
	if (!j->static_count && !j->file_count && !j->http_count)
		pf_problem(r, place,
		    "no targets: give static_configs, file_sd_configs or http_sd_configs");
	if (pf_node_get(place->node, "cpu_overhead") &&
	    (j->cpu_overhead <= 0 || j->cpu_overhead > 1))
		pf_problem(r, place, "cpu_overhead must be above 0%% and at most 100%%");
	pf_config_check_types(r, place, "types", &j->types);
}

static void
read_job(struct pf_reading *r, const struct pf_place *place, const struct pf_config *c,
    struct pf_job_config *j)
{
#define JOB(MEMBER) offsetof(struct pf_job_config, MEMBER)
	static const struct pf_field fields[] = {
	    {"job_name", PF_FIELD_STRING, JOB(name)},
	    {"scrape_interval", PF_FIELD_DURATION, JOB(interval)},
	    {"scrape_timeout", PF_FIELD_DURATION, JOB(timeout)},
	    {"seconds", PF_FIELD_COUNT, JOB(seconds)},
	    {"types", PF_FIELD_STRINGS, JOB(types)},
	    {"type", PF_FIELD_STRINGS, JOB(types)},
	    {"sample", PF_FIELD_CUSTOM, JOB(sample), .custom = read_sample},
	    {"scheme", PF_FIELD_STRING, JOB(scheme)},
	    {"profile_path", PF_FIELD_STRING, JOB(profile_path)},
	    {"metrics_path", PF_FIELD_STRING, JOB(metrics_path)},
	    {"params", PF_FIELD_MAP, JOB(params)},
	    {"max_size", PF_FIELD_SIZE, JOB(max_size)},
	    {"cpu_overhead", PF_FIELD_SHARE, JOB(cpu_overhead)},
	    {"snapshot_cost", PF_FIELD_DURATION, JOB(snapshot_cost)},
	    {"static_configs", PF_FIELD_CUSTOM, 0, .custom = read_statics},
	    {"file_sd_configs", PF_FIELD_CUSTOM, 0, .custom = read_files},
	    {"http_sd_configs", PF_FIELD_CUSTOM, 0, .custom = read_https},
	    {"relabel_configs", PF_FIELD_CUSTOM, JOB(relabel), .custom = pf_relabel_read},
	    {NULL},
	};
	static const char *cpu[] = {"cpu"};

	*j = (struct pf_job_config){.interval = c->interval,
	    .timeout = c->timeout,
	    .seconds = c->seconds,
	    .types = c->types,
	    .scheme = "http",
	    .profile_path = "/debug/pprof/",
	    .metrics_path = "/metrics",
	    .cpu_overhead = c->budget.cpu_overhead,
	    .snapshot_cost = c->budget.snapshot_cost,
	    .line = place->node->line};
	if (!j->types.count)
		j->types = (struct pf_words){cpu, 1};
	pf_client_read(r, place, fields, j, JOB(client));
	if (place->node->kind == PF_NODE_MAP)
		check_job(r, place, j);
}

void
pf_jobs_read(struct pf_reading *r, const struct pf_place *place, void *object)
{
	struct pf_config *c = object;

	if (!pf_place_is_list(r, place))
		return;
	c->jobs = pf_reading_get(r, place->node->count * sizeof *c->jobs);
	for (size_t i = 0; c->jobs && i < place->node->count; i++) {
		struct pf_place item = pf_place_item(place, i);
		c->job_count++;
		read_job(r, &item, c, &c->jobs[i]);
		for (size_t k = 0; k < i; k++) {
			if (c->jobs[i].name && c->jobs[k].name &&
			    strcmp(c->jobs[i].name, c->jobs[k].name) == 0)
				pf_problem(r, &item, "job_name: %s is the name of another job too",
				    c->jobs[i].name);
		}
	}
}
