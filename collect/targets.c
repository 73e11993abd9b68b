/* targets.c: from names that were found to targets with labels and an address. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/md5.h"
#include "core/memory.h"
#include "core/utf8.h"
#include "fleet.h"

struct pf_service *
pf_fleet_service(struct pf_fleet *f, const char *name)
{
	uint32_t hash = pf_hash_bytes(name, strlen(name)), i;
	struct pf_service *service;
	size_t at;

	for (i = pf_index_first(&f->service_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&f->service_index, hash, &at)) {
		if (strcmp(f->services[i]->name, name) == 0)
			return f->services[i];
	}
	if (PF_GROW(f->services, f->service_capacity, f->service_count + 1, NULL) ||
	    PF_CALLOC(service, 1, NULL))
		return NULL;
	if (pf_copy_string(&service->name, name, NULL) ||
	    pf_index_add(&f->service_index, hash, (uint32_t)f->service_count, NULL)) {
		free(service->name);
		free(service);
		return NULL;
	}
	f->services[f->service_count++] = service;
	return service;
}

void
pf_target_unref(struct pf_target *t)
{
	if (!t || --t->references)
		return;
	free(t->labels);
	free(t->base);
	free(t->metrics);
	free(t->error);
	free(t);
}

/* What is being built: the job's next list of targets. */
struct building {
	struct pf_job *job;
	struct pf_index known; /* the targets there were */
	struct pf_index added;
	struct pf_target **targets;
	size_t count, capacity;
	struct pf_error *err;
};

/* A target by its key among these; NULL: none. */
static struct pf_target *
find(const struct pf_index *index, struct pf_target *const *targets, uint64_t key)
{
	uint32_t hash = pf_hash_u64(key);
	size_t at;

	for (uint32_t i = pf_index_first(index, hash, &at); i != PF_NONE;
	    i = pf_index_next(index, hash, &at)) {
		if (targets[i]->key == key)
			return targets[i];
	}
	return NULL;
}

static int
set_pairs(struct pf_labelset *labels, const struct pf_pairs *pairs, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < pairs->count; i++)
		rc = pf_labelset_set(labels, pairs->items[i].name, pairs->items[i].value, err);
	return rc;
}

/* What relabelling starts from; the names are Prometheus'. */
static int
initial_labels(struct pf_labelset *labels, const struct pf_job *job, const char *address,
    const struct pf_pairs *group, const char *meta, const char *source, struct pf_error *err)
{
	const struct pf_job_config *c = job->config;
	char name[256];
	int rc = set_pairs(labels, group, err);

	rc = rc ? rc : pf_labelset_set(labels, "__address__", address, err);
	if (!rc && meta)
		rc = pf_labelset_set(labels, meta, source, err);
	if (!rc && !*pf_labelset_get(labels, "job"))
		rc = pf_labelset_set(labels, "job", c->name, err);
	if (!rc && !*pf_labelset_get(labels, "__scheme__"))
		rc = pf_labelset_set(labels, "__scheme__", c->scheme, err);
	if (!rc && !*pf_labelset_get(labels, "__profile_path__"))
		rc = pf_labelset_set(labels, "__profile_path__", c->profile_path, err);
	if (!rc && !*pf_labelset_get(labels, "__metrics_path__"))
		rc = pf_labelset_set(labels, "__metrics_path__", c->metrics_path, err);
	for (size_t i = 0; !rc && i < c->params.count; i++) {
		snprintf(name, sizeof name, "__param_%s", c->params.items[i].name);
		rc = pf_labelset_set(labels, name, c->params.items[i].value, err);
	}
	return rc;
}

static void
add_escaped(struct pf_buffer *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", c))
			pf_buffer_byte(out, c);
		else
			pf_buffer_printf(out, "%%%02X", c);
	}
}

/* The address below which the target's profiles are, and that of its metrics. */
static int
write_addresses(struct pf_buffer *base, struct pf_buffer *metrics, const struct pf_labelset *labels,
    struct pf_error *err)
{
	const char *scheme = pf_labelset_get(labels, "__scheme__"),
		   *address = pf_labelset_get(labels, "__address__"),
		   *path = pf_labelset_get(labels, "__profile_path__");
	size_t size = strlen(path);
	char separator = '?';

	pf_buffer_printf(
	    base, "%s://%s%s%s", scheme, address, path, size && path[size - 1] == '/' ? "" : "/");
	for (size_t i = 0; i < labels->count; i++) {
		if (strncmp(labels->items[i].name, "__param_", 8) != 0)
			continue;
		pf_buffer_byte(base, (uint8_t)separator);
		add_escaped(base, labels->items[i].name + 8);
		pf_buffer_byte(base, '=');
		add_escaped(base, labels->items[i].value);
		separator = '&';
	}
	pf_buffer_byte(base, 0);
	pf_buffer_printf(
	    metrics, "%s://%s%s", scheme, address, pf_labelset_get(labels, "__metrics_path__"));
	pf_buffer_byte(metrics, 0);
	return base->failed || metrics->failed ? pf_error_nomem(err) : 0;
}

/* What profiles of the target are stored with. */
static int
final_labels(struct pf_labelset *labels, const struct pf_job *job, struct pf_error *err)
{
	int rc = 0;

	if (!*pf_labelset_get(labels, "instance"))
		rc = pf_labelset_set(
		    labels, "instance", pf_labelset_get(labels, "__address__"), err);
	for (size_t i = 0; !rc && i < job->setup->config->external_labels.count; i++) {
		const struct pf_pair *l = &job->setup->config->external_labels.items[i];
		if (!*pf_labelset_get(labels, l->name))
			rc = pf_labelset_set(labels, l->name, l->value, err);
	}
	pf_labelset_drop_prefix(labels, "__");
	return rc;
}

static int
new_target(struct pf_target **target, struct pf_job *job, struct pf_frozen_labels *labels,
    const char *base, const char *metrics, uint64_t key, struct pf_error *err)
{
	const char *service = pf_frozen_get(labels, "service");
	struct pf_target *t;
	int rc = PF_CALLOC(*target, 1, err);

	if (rc)
		return rc;
	t = *target;
	*t = (struct pf_target){.references = 1,
	    .key = key,
	    .address = pf_md5_low64(base, strcspn(base, "?")),
	    .last_round = PF_ROUND_NEW};
	t->service =
	    pf_fleet_service(job->setup->fleet, *service ? service : pf_frozen_get(labels, "job"));
	rc = t->service ? 0 : pf_error_nomem(err);
	if (!rc)
		rc = pf_copy_string(&t->base, base, err);
	if (!rc)
		rc = pf_copy_string(&t->metrics, metrics, err);
	if (rc)
		pf_target_unref(t);
	else
		t->labels = labels;
	return rc;
}

/* Puts the target of these labels and this address on the list: the one there was, or a new one. */
static int
add_target(struct building *b, struct pf_labelset *set, const char *base, const char *metrics)
{
	struct pf_frozen_labels *labels = pf_labelset_freeze(set, b->err);
	struct pf_target *t;
	uint64_t key;
	int rc = labels ? 0 : PF_ENOMEM;

	if (rc)
		return rc;
	key = pf_mix(labels->hash, pf_md5_low64(base, strlen(base)));
	if (find(&b->added, b->targets, key)) {
		free(labels); /* named twice */
		return 0;
	}
	t = find(&b->known, b->job->targets, key);
	if (t) {
		t->references++;
		free(labels);
	} else {
		rc = new_target(&t, b->job, labels, base, metrics, key, b->err);
		if (rc) {
			free(labels);
			return rc;
		}
	}
	rc = PF_GROW(b->targets, b->capacity, b->count + 1, b->err);
	if (!rc)
		rc = pf_index_add(&b->added, pf_hash_u64(key), (uint32_t)b->count, b->err);
	if (rc)
		pf_target_unref(t);
	else
		b->targets[b->count++] = t;
	return rc;
}

static bool
is_ours(const struct pf_setup *setup, const char *address)
{
	return setup->shards <= 1 || pf_hashmod(address, setup->shards) == setup->shard;
}

/* An address that none can be made of is dropped, and said. */
static bool
is_address(struct building *b, const char *base)
{
	struct pf_error err;
	struct pf_url *url;

	if (pf_url_parse(&url, base, &err)) {
		pf_log(&b->job->setup->fleet->log, PF_LOG_WARN, "target dropped",
		    {"job", b->job->config->name}, {"error", err.message});
		return false;
	}
	pf_url_free(url);
	return true;
}

/* An address without a port gets its scheme's, as it would when it is asked. */
static int
complete_address(struct pf_labelset *labels, struct pf_error *err)
{
	const char *address = pf_labelset_get(labels, "__address__");
	const char *colon = strrchr(address, ':'), *bracket = strrchr(address, ']');
	char whole[512];

	if (colon && (!bracket || bracket < colon))
		return 0;
	snprintf(whole, sizeof whole, "%s:%s", address,
	    strcmp(pf_labelset_get(labels, "__scheme__"), "https") == 0 ? "443" : "80");
	return pf_labelset_set(labels, "__address__", whole, err);
}

static int
consider(struct building *b, struct pf_labelset *labels, const char *address)
{
	struct pf_buffer base, metrics;
	bool kept = false;
	int rc = 0;

	if (is_ours(b->job->setup, address))
		rc = pf_relabel_apply(&b->job->config->relabel, labels, &kept, b->err);
	if (rc == PF_EUSAGE) {
		pf_log(&b->job->setup->fleet->log, PF_LOG_WARN, "target dropped",
		    {"job", b->job->config->name}, {"error", b->err->message});
		rc = 0;
		kept = false;
	}
	if (rc || !kept || !*pf_labelset_get(labels, "__address__")) {
		b->job->dropped++;
		return rc;
	}
	pf_buffer_init(&base, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&metrics, PF_BUFFER_NO_MAXIMUM);
	rc = complete_address(labels, b->err);
	if (!rc)
		rc = write_addresses(&base, &metrics, labels, b->err);
	if (!rc)
		rc = final_labels(labels, b->job, b->err);
	if (!rc && is_address(b, (const char *)base.bytes))
		rc = add_target(b, labels, (const char *)base.bytes, (const char *)metrics.bytes);
	pf_buffer_release(&base);
	pf_buffer_release(&metrics);
	return rc;
}

static int
add_group(struct building *b, const struct pf_words *targets, const struct pf_pairs *group,
    const char *meta, const char *source)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < targets->count; i++) {
		struct pf_labelset labels = {0};
		rc =
		    initial_labels(&labels, b->job, targets->items[i], group, meta, source, b->err);
		if (!rc)
			rc = consider(b, &labels, targets->items[i]);
		pf_labelset_release(&labels);
	}
	return rc;
}

static int
add_all(struct building *b)
{
	const struct pf_job_config *c = b->job->config;
	int rc = 0;

	b->job->dropped = 0;
	for (size_t i = 0; !rc && i < c->static_count; i++)
		rc = add_group(b, &c->statics[i].targets, &c->statics[i].labels, NULL, NULL);
	for (size_t i = 0; i < b->job->provider_count; i++) {
		const struct pf_provider *p = &b->job->providers[i];
		const char *meta = p->http ? "__meta_url" : "__meta_filepath";
		for (size_t k = 0; k < p->count; k++) {
			const struct pf_source *s = &p->sources[k];
			for (size_t g = 0; !rc && g < s->count; g++)
				rc = add_group(
				    b, &s->groups[g].targets, &s->groups[g].labels, meta, s->name);
		}
	}
	return rc;
}

/* A target that is gone is not visited any more; a visit that has begun ends by itself. */
static void
let_go(struct pf_target *t)
{
	t->present = false;
	t->job = NULL;
	t->service->targets--;
	if (t->planned)
		pf_visit_free(t->planned);
	pf_watched_free(t->watched);
	pf_target_unref(t);
}

static void
take_over(struct building *b)
{
	struct pf_job *job = b->job;
	struct pf_fleet *f = job->setup->fleet;

	for (size_t i = 0; i < b->count; i++) {
		struct pf_target *t = b->targets[i];
		if (!t->present) {
			t->service->targets++;
			f->target_count++;
		}
		t->present = true;
		t->job = job;
	}
	for (size_t i = 0; i < job->target_count; i++) {
		struct pf_target *t = job->targets[i];
		if (find(&b->added, b->targets, t->key)) {
			pf_target_unref(t);
			continue;
		}
		f->target_count--;
		let_go(t);
	}
	free(job->targets);
	job->targets = b->targets;
	job->target_count = b->count;
	job->target_capacity = b->capacity;
}

int
pf_job_rebuild(struct pf_job *job, struct pf_error *err)
{
	struct building b = {.job = job, .err = err};
	int rc = 0;

	for (size_t i = 0; !rc && i < job->target_count; i++)
		rc = pf_index_add(&b.known, pf_hash_u64(job->targets[i]->key), (uint32_t)i, err);
	if (!rc)
		rc = add_all(&b);
	if (rc) {
		for (size_t i = 0; i < b.count; i++)
			pf_target_unref(b.targets[i]);
		free(b.targets);
	} else {
		take_over(&b);
	}
	pf_index_release(&b.known);
	pf_index_release(&b.added);
	return rc;
}

void
pf_job_inherit(struct pf_job *job, struct pf_job *older)
{
	job->targets = older->targets;
	job->target_count = older->target_count;
	job->target_capacity = older->target_capacity;
	job->round = older->round;
	older->targets = NULL;
	older->target_count = older->target_capacity = 0;
	for (size_t i = 0; i < job->target_count; i++)
		job->targets[i]->job = job;
}

void
pf_job_release_targets(struct pf_job *job)
{
	for (size_t i = 0; i < job->target_count; i++) {
		job->setup->fleet->target_count--;
		let_go(job->targets[i]);
	}
	free(job->targets);
	job->targets = NULL;
	job->target_count = job->target_capacity = 0;
}
