/* fleet.c: the collector from its start to its end: signals, descriptors, pages, the second's work. */
#include "fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"
#include "net/transfer.h"
#include "notify.h"

enum { SPARE_DESCRIPTORS = 200, LOGGED_A_SECOND = 10 };

#define PF_FILE_DELAY 0.2 /* seconds after a change in a folder until it is looked at */
#define PF_PROBE_STORE 10 /* seconds between tries while the store can't be written */

static void
on_file_timer(struct pf_timer *timer, double now)
{
	(void)now;
	pf_setup_look(PF_CONTAINER(timer, struct pf_fleet, file_timer));
}

static void
on_file_event(struct pf_watch *watch)
{
	struct pf_fleet *f = PF_CONTAINER(watch, struct pf_fleet, file_watch);
	char events[16384];

	while (read(watch->fd, events, sizeof events) > 0)
		continue;
	if (!f->file_timer.place)
		pf_timer_set(&f->loop, &f->file_timer, pf_net_now() + PF_FILE_DELAY, NULL);
}

static void
on_signal(struct pf_watch *watch)
{
	struct pf_fleet *f = PF_CONTAINER(watch, struct pf_fleet, signal_watch);
	struct signalfd_siginfo info;

	while (read(watch->fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGHUP)
			pf_setup_reload(f);
		else
			f->loop.stop = true;
	}
}

static void
on_kept(struct pf_watch *watch)
{
	struct pf_fleet *f = PF_CONTAINER(watch, struct pf_fleet, keeper_watch);
	uint64_t count;

	if (read(watch->fd, &count, sizeof count) == sizeof count)
		pf_fleet_take_kept(f);
}

static void
refill_log(struct pf_fleet *f)
{
	if (f->log_suppressed)
		pf_log(&f->log, PF_LOG_WARN, "more like these were not logged",
		    {"count", .number = (double)f->log_suppressed, .numeric = true});
	f->log_suppressed = 0;
	f->log_tokens = LOGGED_A_SECOND;
}

static void
on_second(struct pf_timer *timer, double now)
{
	struct pf_fleet *f = PF_CONTAINER(timer, struct pf_fleet, second_timer);

	f->elapsed_targets += (now - f->last_second) * (double)f->target_count;
	f->last_second = now;
	if ((uint64_t)(now - f->started) % PF_PROBE_STORE == 0)
		f->store_probe = true;
	refill_log(f);
	pf_fleet_take_kept(f);
	pf_notify("WATCHDOG=1");
	pf_timer_set(&f->loop, timer, now + 1, NULL);
}

/* As many descriptors as we may have; every request wants one. */
static void
raise_descriptors(struct pf_fleet *f)
{
	const struct pf_config *c = f->setup->config;
	struct rlimit limit;
	double planned = 0;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	f->most_in_flight =
	    limit.rlim_cur > 2 * SPARE_DESCRIPTORS ? limit.rlim_cur - SPARE_DESCRIPTORS : 64;
	if (c->max_in_flight && c->max_in_flight < f->most_in_flight)
		f->most_in_flight = (size_t)c->max_in_flight;
	for (size_t i = 0; i < c->job_count; i++)
		planned += (double)f->setup->jobs[i].target_count * (double)c->jobs[i].seconds /
			   c->jobs[i].interval;
	if (planned > (double)f->most_in_flight)
		pf_log(&f->log, PF_LOG_WARN,
		    "more requests are planned at once than there are descriptors: rounds will "
		    "lag; raise the limit (LimitNOFILE=, ulimit -n) or max_in_flight",
		    {"planned", .number = planned, .numeric = true},
		    {"possible", .number = (double)f->most_in_flight, .numeric = true});
}

static int
watch_signals(struct pf_fleet *f, struct pf_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL); /* before the keeper's thread: it inherits this */
	f->signal_watch = (struct pf_watch){
	    .fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), .ready = on_signal};
	if (f->signal_watch.fd < 0)
		return pf_error_errno(err, "cannot wait for", "signals");
	return pf_watch_add(&f->loop, &f->signal_watch, err);
}

static int
watch_files(struct pf_fleet *f, struct pf_error *err)
{
	f->file_timer.fire = on_file_timer;
	f->file_watch = (struct pf_watch){
	    .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .ready = on_file_event};
	if (f->file_watch.fd < 0) {
		pf_log(&f->log, PF_LOG_WARN,
		    "changes of files can't be watched; SIGHUP and refresh_interval still work",
		    {"error", strerror(errno)});
		return 0;
	}
	pf_fleet_watch_folder(f, f->config_path);
	return pf_watch_add(&f->loop, &f->file_watch, err);
}

static void
serve_page(void *data, const char *path, struct pf_page *page)
{
	struct pf_fleet *f = data;
	struct pf_error err;

	if (strcmp(path, "/metrics") == 0) {
		page->type = "text/plain; version=0.0.4; charset=utf-8";
		pf_fleet_metrics(f, &page->body);
	} else if (strcmp(path, "/healthz") == 0) {
		page->status = pf_fleet_healthy(f, &page->body) ? 200 : 503;
	} else if (strcmp(path, "/status") == 0) {
		page->type = "application/json";
		if (pf_fleet_status(f, &page->body, &err))
			page->status = 500;
	} else if (strcmp(path, "/targets") == 0) {
		page->type = "application/json";
		if (pf_fleet_targets(f, &page->body, &err))
			page->status = 500;
	} else {
		page->status = 404;
		pf_buffer_string(
		    &page->body, "there are /metrics, /healthz, /status and /targets\n");
	}
}

static int
start_server(struct pf_fleet *f, struct pf_error *err)
{
	const struct pf_config *c = f->setup->config;
	struct pf_server_options o = {.listen = f->options.listen ? f->options.listen : c->listen,
	    .token_file =
		f->options.listen_token_file ? f->options.listen_token_file : c->listen_token_file,
	    .tls = &c->listen_tls,
	    .page = serve_page,
	    .data = f};
	int rc;

	if (!*o.listen || strcmp(o.listen, "none") == 0)
		return 0;
	rc = pf_server_start(&f->server, &f->loop, &o, err);
	if (!rc)
		pf_log(&f->log, PF_LOG_INFO, "serving /metrics, /healthz and /status",
		    {"listen", o.listen},
		    {"port", .number = pf_server_port(f->server), .numeric = true});
	return rc;
}

static void
init_log(struct pf_fleet *f, const struct pf_config *config)
{
	int format = f->options.log_format >= 0 ? f->options.log_format : config->log_format;

	f->log = (struct pf_log){.fd = STDERR_FILENO,
	    .json = format == 1,
	    .least = (enum pf_log_level)f->options.log_level};
}

static int
start(struct pf_fleet *f, struct pf_config *config, struct pf_error *err)
{
	const char *store = f->options.store ? f->options.store
			    : config->store  ? config->store
					     : "profuse-store";
	int rc = pf_copy_string(&f->config_path, f->options.config, err);

	init_log(f, config);
	if (!rc)
		rc = pf_copy_string(&f->store_path, store, err);
	if (!rc)
		rc = pf_histogram_init(&f->lag, 1, INT64_C(3600000000), 2, err);
	if (!rc)
		rc = pf_loop_init(&f->loop, err);
	if (!rc) {
		pf_fetches_init(&f->fetches, &f->loop);
		rc = watch_signals(f, err);
	}
	if (!rc)
		rc = watch_files(f, err);
	if (!rc)
		rc = pf_keeper_start(&f->keeper, f->store_path, &f->log, err);
	if (rc)
		return rc;
	f->keeper_watch = (struct pf_watch){.fd = pf_keeper_fd(f->keeper), .ready = on_kept};
	pf_setup_note_file(f);
	f->started = f->last_second = pf_net_now();
	f->most_in_flight = 64;
	f->log_tokens = LOGGED_A_SECOND;
	f->second_timer.fire = on_second;
	rc = pf_watch_add(&f->loop, &f->keeper_watch, err);
	return rc ? rc : pf_timer_set(&f->loop, &f->second_timer, f->started + 1, err);
}

static void
release(struct pf_fleet *f)
{
	pf_server_stop(f->server);
	pf_triggers_stop(&f->triggers);
	while (f->visits)
		pf_visit_free(f->visits);
	if (f->keeper) {
		pf_keeper_finish(f->keeper);
		pf_fleet_take_kept(f);
	}
	if (f->setup)
		pf_setup_retire(f->setup);
	pf_keeper_stop(f->keeper);
	for (size_t i = 0; i < f->service_count; i++) {
		free(f->services[i]->name);
		free(f->services[i]);
	}
	free(f->services);
	pf_index_release(&f->service_index);
	if (f->signal_watch.fd > 0)
		close(f->signal_watch.fd);
	if (f->file_watch.fd > 0)
		close(f->file_watch.fd);
	pf_loop_release(&f->loop);
	pf_histogram_release(&f->lag);
	free(f->config_path);
	free(f->store_path);
}

static int
run(struct pf_fleet *f, struct pf_config *config, struct pf_error *err)
{
	int rc = start(f, config, err);

	if (!rc)
		rc = pf_setup_apply(f, config, err);
	if (rc) {
		pf_config_free(config);
		return rc;
	}
	raise_descriptors(f);
	rc = start_server(f, err);
	if (rc)
		return rc;
	pf_log(&f->log, PF_LOG_INFO, "collecting", {"store", f->store_path},
	    {"config", f->config_path},
	    {"targets", .number = (double)f->target_count, .numeric = true},
	    {"seed", .number = (double)f->seed, .numeric = true}, {"version", pf_version()});
	pf_notify("READY=1");
	rc = pf_loop_run(&f->loop, err);
	pf_notify("STOPPING=1");
	pf_log(&f->log, PF_LOG_INFO, "stopping",
	    {"in_flight", .number = (double)f->in_flight, .numeric = true},
	    {"stored", .number = (double)f->counts.stored, .numeric = true});
	return rc;
}

int
pf_fleet_run(const struct pf_fleet_options *options,
    void (*tell)(void *data, bool wrong, const char *line), void *data, struct pf_error *err)
{
	struct pf_error local;
	struct pf_fleet f = {.options = PF_FLEET_OPTIONS_INIT};
	struct pf_config *config;
	int rc;

	err = err ? err : &local;
	memcpy(&f.options, options,
	    options->struct_size < sizeof f.options ? options->struct_size : sizeof f.options);
	f.signal_watch.fd = f.file_watch.fd = -1;
	rc = pf_config_tell(&config, f.options.config, tell, data, err);
	if (rc)
		return rc;
	rc = run(&f, config, err);
	release(&f);
	return rc;
}
