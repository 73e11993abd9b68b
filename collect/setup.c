/* setup.c: a configuration comes into force: its jobs, their providers, what stays from the one before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/memory.h"
#include "fleet.h"
#include "net/transfer.h"
#include "notify.h"

enum { PROBLEMS_MAX = 1 << 20 };

static void
tell_lines(const struct pf_buffer *lines, bool wrong,
    void (*tell)(void *data, bool wrong, const char *line), void *data)
{
	const char *at = (const char *)lines->bytes, *end = at ? at + lines->size : at;
	char line[1100];

	while (at < end) {
		size_t size = strcspn(at, "\n");
		snprintf(line, sizeof line, "%.*s", (int)size, at);
		tell(data, wrong, line);
		at += size + 1;
	}
}

int
pf_config_tell(struct pf_config **config, const char *path,
    void (*tell)(void *data, bool wrong, const char *line), void *data, struct pf_error *err)
{
	struct pf_buffer problems;
	int rc;

	pf_buffer_init(&problems, PROBLEMS_MAX);
	rc = pf_config_load(config, path, &problems, err);
	tell_lines(&problems, true, tell, data);
	if (!rc)
		tell_lines(&(*config)->notes, false, tell, data);
	pf_buffer_release(&problems);
	return rc;
}

int
pf_fleet_check(const char *path, void (*tell)(void *data, bool wrong, const char *line), void *data,
    struct pf_error *err)
{
	struct pf_config *config;
	struct pf_error local;
	int rc = pf_config_tell(&config, path, tell, data, err ? err : &local);

	if (!rc)
		pf_config_free(config);
	return rc;
}

void
pf_setup_ref(struct pf_setup *setup)
{
	setup->references++;
}

void
pf_setup_unref(struct pf_setup *setup)
{
	if (!setup || --setup->references)
		return;
	free(setup->jobs);
	pf_config_free(setup->config);
	free(setup);
}

/* Ends what a setup does; visits that have begun keep its memory alive. */
void
pf_setup_retire(struct pf_setup *setup)
{
	struct pf_fleet *f = setup->fleet;

	for (size_t i = 0; i < setup->config->job_count; i++) {
		struct pf_job *job = &setup->jobs[i];
		pf_timer_cancel(&f->loop, &job->round_timer);
		pf_timer_cancel(&f->loop, &job->rebuild_timer);
		for (size_t k = 0; k < job->provider_count; k++)
			pf_provider_release(&job->providers[k]);
		free(job->providers);
		job->providers = NULL;
		job->provider_count = 0;
		pf_job_release_targets(job);
	}
	pf_setup_unref(setup);
}

/* Rebuilds a job's targets; the first ones there are begin its rounds at once. */
static void
rebuild(struct pf_job *job)
{
	struct pf_fleet *f = job->setup->fleet;
	size_t before = job->target_count;
	struct pf_error err;

	if (pf_job_rebuild(job, &err)) {
		pf_log(&f->log, PF_LOG_ERROR, "targets could not be brought up to date",
		    {"job", job->config->name}, {"error", err.message});
		return;
	}
	if (before != job->target_count)
		pf_log(&f->log, PF_LOG_INFO, "targets", {"job", job->config->name},
		    {"count", .number = (double)job->target_count, .numeric = true},
		    {"before", .number = (double)before, .numeric = true});
	if (!before && job->target_count) {
		pf_timer_cancel(&f->loop, &job->round_timer);
		pf_job_start_rounds(job);
	}
}

/* Several lists that change together are one change. */
static void
on_rebuild(struct pf_timer *timer, double now)
{
	(void)now;
	rebuild(PF_CONTAINER(timer, struct pf_job, rebuild_timer));
}

static void
on_found(struct pf_provider *p)
{
	struct pf_job *job = p->owner;

	if (!job->rebuild_timer.place)
		pf_timer_set(
		    &job->setup->fleet->loop, &job->rebuild_timer, pf_net_now() + 0.05, NULL);
}

static void
on_not_found(struct pf_provider *p, const char *source, const char *error)
{
	const struct pf_job *job = p->owner;

	if (error)
		pf_log(&job->setup->fleet->log, PF_LOG_WARN,
		    "targets can't be read; those known before stay", {"job", job->config->name},
		    {"source", source}, {"error", error});
	else
		pf_log(&job->setup->fleet->log, PF_LOG_INFO, "targets can be read again",
		    {"job", job->config->name}, {"source", source});
}

void
pf_fleet_watch_folder(struct pf_fleet *f, const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');

	snprintf(
	    folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	if (f->file_watch.fd >= 0)
		inotify_add_watch(f->file_watch.fd, folder[0] ? folder : "/",
		    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE |
			IN_ATTRIB);
}

static int
start_job(struct pf_job *job, struct pf_error *err)
{
	const struct pf_job_config *c = job->config;
	struct pf_fleet *f = job->setup->fleet;
	int rc = PF_CALLOC(job->providers, c->file_count + c->http_count, err);

	if (rc)
		return rc;
	job->rebuild_timer.fire = on_rebuild;
	for (size_t i = 0; i < c->file_count + c->http_count; i++) {
		struct pf_provider *p = &job->providers[job->provider_count++];
		*p =
		    (struct pf_provider){.changed = on_found, .failed = on_not_found, .owner = job};
		if (i < c->file_count)
			p->files = &c->files[i];
		else
			p->http = &c->https[i - c->file_count];
		for (size_t k = 0; p->files && k < p->files->files.count; k++)
			pf_fleet_watch_folder(f, p->files->files.items[k]);
		pf_provider_start(p, &f->loop, &f->fetches);
	}
	return 0;
}

static struct pf_job *
find_job(struct pf_setup *setup, const char *name)
{
	for (size_t i = 0; setup && i < setup->config->job_count; i++) {
		if (strcmp(setup->jobs[i].config->name, name) == 0)
			return &setup->jobs[i];
	}
	return NULL;
}

static int
new_setup(
    struct pf_fleet *f, struct pf_config *config, struct pf_setup **setup, struct pf_error *err)
{
	struct pf_setup *s;
	const char *shard = f->options.shard ? f->options.shard : config->shard;
	int rc = PF_CALLOC(s, 1, err);

	if (rc)
		return rc;
	*s = (struct pf_setup){.fleet = f, .references = 1, .shards = 1};
	rc = PF_CALLOC(s->jobs, config->job_count, err);
	if (!rc && shard && !pf_parse_shard(shard, &s->shard, &s->shards))
		rc = pf_error_set(
		    err, PF_EUSAGE, "--shard %s: expected i/n with i below n, such as 0/2", shard);
	if (rc) {
		free(s->jobs);
		free(s);
		return rc;
	}
	s->config = config;
	for (size_t i = 0; i < config->job_count; i++)
		s->jobs[i] = (struct pf_job){.setup = s, .config = &config->jobs[i]};
	*setup = s;
	return 0;
}

/* Other triggers want other pasts: targets that stay are watched anew. */
static void
stop_watching(struct pf_setup *setup)
{
	for (size_t i = 0; setup && i < setup->config->job_count; i++) {
		for (size_t k = 0; k < setup->jobs[i].target_count; k++)
			pf_watched_free(setup->jobs[i].targets[k]->watched);
	}
}

/* Puts a configuration in force in place of the one before; takes it over. */
int
pf_setup_apply(struct pf_fleet *f, struct pf_config *config, struct pf_error *err)
{
	struct pf_setup *setup, *older = f->setup;
	int rc = new_setup(f, config, &setup, err);

	if (!rc)
		rc = pf_keeper_retain(f->keeper, config->retention, config->retention_count, err);
	if (rc)
		return rc;
	pf_triggers_stop(&f->triggers);
	stop_watching(older);
	f->setup = setup;
	f->seed = config->seed;
	f->loaded = pf_net_now();
	for (size_t i = 0; i < config->job_count; i++) {
		struct pf_job *job = &setup->jobs[i],
			      *before = find_job(older, config->jobs[i].name);
		if (before)
			pf_job_inherit(job, before);
		if (start_job(job, err))
			pf_log(&f->log, PF_LOG_ERROR, "a job can't start",
			    {"job", job->config->name}, {"error", err->message});
		rebuild(job);
	}
	if (older)
		pf_setup_retire(older);
	if (pf_triggers_start(&f->triggers, setup, err))
		pf_log(&f->log, PF_LOG_ERROR, "triggers can't start", {"error", err->message});
	pf_fleet_set_accounts(f);
	for (size_t i = 0; i < config->job_count; i++)
		pf_job_start_rounds(&setup->jobs[i]);
	return 0;
}

static void
log_line(void *data, bool wrong, const char *line)
{
	const struct pf_fleet *f = data;

	pf_log(&f->log, wrong ? PF_LOG_ERROR : PF_LOG_WARN, "configuration", {"error", line});
}

void
pf_setup_note_file(struct pf_fleet *f)
{
	struct stat st;

	if (stat(f->config_path, &st) == 0) {
		f->config_changed = st.st_mtim;
		f->config_inode = st.st_ino;
	}
}

/* A bad configuration changes nothing but what is said about it. */
void
pf_setup_reload(struct pf_fleet *f)
{
	struct pf_config *config;
	struct pf_error err;
	int rc;

	pf_setup_note_file(f);
	f->reloads++;
	pf_notify("RELOADING=1");
	rc = pf_config_tell(&config, f->config_path, log_line, f, &err);
	if (!rc) {
		rc = pf_setup_apply(f, config, &err);
		if (rc)
			pf_config_free(config);
	}
	f->reload_failed = rc != 0;
	f->reload_failures += rc != 0;
	if (rc)
		pf_log(&f->log, PF_LOG_ERROR,
		    "the configuration is not taken over; the one before stays in force",
		    {"error", err.message});
	else
		pf_log(&f->log, PF_LOG_INFO, "configuration taken over", {"file", f->config_path},
		    {"jobs", .number = (double)config->job_count, .numeric = true});
	pf_notify("READY=1");
}

static bool
file_changed(const struct pf_fleet *f)
{
	struct stat st;

	return stat(f->config_path, &st) == 0 &&
	       (st.st_ino != f->config_inode || st.st_mtim.tv_sec != f->config_changed.tv_sec ||
		   st.st_mtim.tv_nsec != f->config_changed.tv_nsec);
}

void
pf_setup_look(struct pf_fleet *f)
{
	if (file_changed(f)) {
		pf_setup_reload(f);
		return;
	}
	for (size_t i = 0; i < f->setup->config->job_count; i++) {
		struct pf_job *job = &f->setup->jobs[i];
		for (size_t k = 0; k < job->provider_count; k++)
			pf_provider_look(&job->providers[k]);
	}
}
