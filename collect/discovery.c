/* discovery.c: see discovery.h. */
#include "discovery.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/md5.h"
#include "core/memory.h"
#include "core/utf8.h"
#include "net/text.h"

enum { CONNECT_TIMEOUT = 10, ANSWER_TIMEOUT = 30, PROBLEMS = 1 << 16 };

static void
read_group(struct pf_reading *r, const struct pf_place *place, struct pf_group *group)
{
#define GROUP(MEMBER) offsetof(struct pf_group, MEMBER)
	static const struct pf_field fields[] = {
	    {"targets", PF_FIELD_STRINGS, GROUP(targets)},
	    {"labels", PF_FIELD_MAP, GROUP(labels)},
	    {"source", PF_FIELD_STRING, GROUP(ignored)},
	    {NULL},
	};

	pf_fields_read(r, place, fields, group);
	for (size_t i = 0; i < group->labels.count; i++) {
		if (!pf_label_name_valid(group->labels.items[i].name))
			pf_problem(r, place, "labels: %s can't be a label's name",
			    group->labels.items[i].name);
	}
}

/* The first line of what is wrong. */
static int
first_problem(const struct pf_problems *problems, struct pf_error *err)
{
	const char *text = (const char *)problems->text.bytes;

	if (problems->fatal)
		return pf_error_nomem(err);
	if (!problems->count)
		return 0;
	return pf_error_set(err, PF_EUSAGE, "%.*s", (int)strcspn(text, "\n"), text);
}

int
pf_groups_parse(struct pf_pool *pool, const char *name, const char *bytes, size_t size, bool json,
    struct pf_group **groups, size_t *count, struct pf_error *err)
{
	struct pf_problems problems = {.name = name};
	struct pf_reading r = {.pool = pool, .problems = &problems};
	struct pf_place place = {0};
	struct pf_node *root;
	int rc;

	*groups = NULL;
	*count = 0;
	if (!pf_utf8_valid(bytes, size))
		return pf_error_set(err, PF_EUSAGE, "%s: not valid UTF-8", name);
	rc = pf_document_parse(&root, pool, name, bytes, size, json, err);
	if (rc || !root)
		return rc;
	pf_buffer_init(&problems.text, PROBLEMS);
	place.node = root;
	if (pf_place_is_list(&r, &place))
		*groups = pf_reading_get(&r, (root->count + 1) * sizeof **groups);
	for (size_t i = 0; *groups && i < root->count; i++) {
		struct pf_place item = pf_place_item(&place, i);
		read_group(&r, &item, &(*groups)[i]);
	}
	rc = first_problem(&problems, err);
	pf_buffer_release(&problems.text);
	*count = rc || !*groups ? 0 : root->count;
	return rc;
}

static void
release_source(struct pf_source *s)
{
	pf_pool_release(&s->pool);
	free(s->name);
	free(s->error);
	*s = (struct pf_source){0};
}

static struct pf_source *
find_source(struct pf_provider *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->sources[i].name, name) == 0)
			return &p->sources[i];
	}
	return NULL;
}

/* The source of this name, made if need be; NULL without memory. */
static struct pf_source *
source(struct pf_provider *p, const char *name)
{
	struct pf_source *s = find_source(p, name);

	if (s)
		return s;
	if (PF_GROW(p->sources, p->capacity, p->count + 1, NULL))
		return NULL;
	s = &p->sources[p->count];
	*s = (struct pf_source){0};
	if (pf_copy_string(&s->name, name, NULL))
		return NULL;
	p->count++;
	return s;
}

/* The same error again and again is told once. */
static void
set_error(struct pf_provider *p, struct pf_source *s, const char *error)
{
	char *copy = NULL;

	if (error ? s->error && strcmp(s->error, error) == 0 : !s->error)
		return;
	pf_copy_string(&copy, error, NULL);
	free(s->error);
	s->error = copy;
	p->failed(p, s->name, error);
}

/* Takes what was read in place of what was there; true: it may be different. */
static bool
take(struct pf_provider *p, struct pf_source *s, const char *bytes, size_t size, bool json)
{
	struct pf_pool pool = {0};
	struct pf_group *groups;
	uint64_t content = pf_md5_low64(bytes, size);
	struct pf_error err;
	size_t count;

	if (!s->error && s->content == content)
		return false;
	if (pf_groups_parse(&pool, s->name, bytes, size, json, &groups, &count, &err)) {
		pf_pool_release(&pool);
		set_error(p, s, err.message);
		return false;
	}
	set_error(p, s, NULL);
	pf_pool_release(&s->pool);
	s->pool = pool;
	s->groups = groups;
	s->count = count;
	s->content = content;
	return true;
}

static bool
unchanged(const struct pf_source *s, const struct stat *st)
{
	return s->inode == st->st_ino && s->size == st->st_size &&
	       s->changed.tv_sec == st->st_mtim.tv_sec && s->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static bool
read_file(struct pf_provider *p, const char *path)
{
	struct pf_source *s = source(p, path);
	const char *dot = strrchr(path, '.');
	struct pf_buffer bytes;
	struct pf_error err;
	struct stat st;
	bool changed = false;

	if (!s)
		return false;
	s->seen = true;
	if (stat(path, &st)) {
		pf_error_errno(&err, "cannot read", path);
		set_error(p, s, err.message);
		return false;
	}
	if (unchanged(s, &st))
		return false;
	pf_buffer_init(&bytes, PF_DOCUMENT_MAX_SIZE);
	if (pf_file_read(path, &bytes, &err)) {
		set_error(p, s, err.message);
	} else {
		changed = take(p, s, bytes.bytes ? (const char *)bytes.bytes : "", bytes.size,
		    dot && strcmp(dot, ".json") == 0);
		s->inode = st.st_ino;
		s->size = st.st_size;
		s->changed = st.st_mtim;
	}
	pf_buffer_release(&bytes);
	return changed;
}

/* A list whose file is gone goes too. */
static bool
forget_unseen(struct pf_provider *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (p->sources[i].seen)
			p->sources[kept++] = p->sources[i];
		else
			release_source(&p->sources[i]);
	}
	if (kept == p->count)
		return false;
	p->count = kept;
	return true;
}

static bool
read_files(struct pf_provider *p)
{
	bool changed = false;

	for (size_t i = 0; i < p->count; i++)
		p->sources[i].seen = false;
	for (size_t i = 0; i < p->files->files.count; i++) {
		const char *pattern = p->files->files.items[i];
		glob_t found = {0};
		/* a plain name that is not there is an error, a pattern that fits nothing is not */
		int flags = strpbrk(pattern, "*?[") ? 0 : GLOB_NOCHECK;
		if (glob(pattern, flags, NULL, &found) == 0) {
			for (size_t k = 0; k < found.gl_pathc; k++)
				changed |= read_file(p, found.gl_pathv[k]);
		}
		globfree(&found);
	}
	return forget_unseen(p) || changed;
}

void
pf_provider_look(struct pf_provider *p)
{
	if (p->files && read_files(p))
		p->changed(p);
}

static void ask(struct pf_provider *p);

static void
on_timer(struct pf_timer *timer, double now)
{
	struct pf_provider *p = PF_CONTAINER(timer, struct pf_provider, timer);

	if (p->http) {
		ask(p);
		return;
	}
	pf_provider_look(p);
	pf_timer_set(p->loop, timer, now + p->files->refresh_interval, NULL);
}

static void
judge(struct pf_provider *p, struct pf_source *s, const struct pf_http_answer *a)
{
	char said[160], error[400];

	if (a->status == 200) {
		if (take(
			p, s, a->body.bytes ? (const char *)a->body.bytes : "", a->body.size, true))
			p->changed(p);
		return;
	}
	pf_text_excerpt(
	    said, sizeof said, a->body.bytes ? (const char *)a->body.bytes : "", a->body.size);
	snprintf(
	    error, sizeof error, "%s: the server answered %ld: \"%s\"", s->name, a->status, said);
	set_error(p, s, error);
}

static void
on_answer(struct pf_fetch *request, enum pf_outcome outcome, const struct pf_error *err)
{
	struct pf_provider *p = PF_CONTAINER(request, struct pf_provider, request);
	struct pf_source *s = source(p, p->http->url);

	if (s && outcome != PF_OUTCOME_OK)
		set_error(p, s, err->message);
	else if (s)
		judge(p, s, &request->transfer.answer);
	pf_fetch_release(p->requests, request);
	pf_timer_set(p->loop, &p->timer, pf_net_now() + p->http->refresh_interval, NULL);
}

static void
ask(struct pf_provider *p)
{
	struct pf_http_limits limits = {.connect_timeout = CONNECT_TIMEOUT,
	    .timeout = ANSWER_TIMEOUT,
	    .stall_timeout = ANSWER_TIMEOUT,
	    .max_body = PF_DOCUMENT_MAX_SIZE};
	struct pf_error err;
	struct pf_url *url;
	struct pf_source *s;
	int rc = pf_url_parse(&url, p->http->url, &err);

	if (!rc) {
		p->request = (struct pf_fetch){.done = on_answer};
		rc = pf_fetch_start(p->requests, &p->request, url, &p->http->client, &limits, &err);
		pf_url_free(url);
	}
	if (!rc)
		return;
	s = source(p, p->http->url);
	if (s)
		set_error(p, s, err.message);
	pf_timer_set(p->loop, &p->timer, pf_net_now() + p->http->refresh_interval, NULL);
}

void
pf_provider_start(struct pf_provider *p, struct pf_loop *loop, struct pf_fetches *requests)
{
	p->loop = loop;
	p->requests = requests;
	p->timer.fire = on_timer;
	if (p->http) {
		ask(p);
		return;
	}
	read_files(p);
	pf_timer_set(loop, &p->timer, pf_net_now() + p->files->refresh_interval, NULL);
}

void
pf_provider_release(struct pf_provider *p)
{
	if (p->requests)
		pf_fetch_release(p->requests, &p->request);
	if (p->loop)
		pf_timer_cancel(p->loop, &p->timer);
	for (size_t i = 0; i < p->count; i++)
		release_source(&p->sources[i]);
	free(p->sources);
	*p = (struct pf_provider){0};
}
