/*
 * gather.c: all that a live service offers, fetched through collect's public
 * header: memory, CPU over a window, everything that is a snapshot, then memory
 * four times more over as long again: growth needs a series. Goroutines or threads
 * are counted beside it each time. While it waits for the first of these it has the
 * agent look at threads. Waiting is asked for first and last: sums since a service began
 * say nothing of today. What a service does not have is passed over with a word; a
 * service that has nothing is an error.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <profuse/collect.h>

#include "core/error.h"
#include "net/credentials.h"
#include "net/http.h"
#include "tuner/answerer.h"
#include "tuner/programs.h"
#include "tuner/tune.h"
#include "tuner/waiting.h"

enum {
	PATH_ROOM = 2048,
	TEXT_BYTES = 32 << 20,
	TEXT_SECONDS = 30,
	KNOCK_SECONDS = 3,
	KNOCK_BYTES = 1 << 16,
	MORE_SNAPSHOTS = 4,
	MOST_SAID = 16,
	MOST_PARTS = 16,
	WINDOW = 30
};

/* Go collects garbage first: what is in use is otherwise that of the last cycle, perhaps minutes ago. */
static const char heap[] = "/debug/pprof/heap?gc=1";

struct gathering {
	struct pf_tune *tune;
	const struct pf_collect_options *options;
	char base[PATH_ROOM]; /* without a slash at its end */
	size_t got;
	struct pf_error first; /* why the first thing that failed did */
	const char *asked;     /* what is being fetched */
	bool failed, stopped, gone, has_heap, may_be_empty;
	struct waits {
		const char *type;
		bool got;
		size_t profile; /* its place among them */
		double at;
	} waits[2];
	struct said {
		char sentence[768];
		size_t times;
	} said[MOST_SAID]; /* warnings, told at the end: each snapshot of a series has the same */
	size_t said_count;
	struct part {
		const char *what;
		bool got;
		struct pf_error why; /* the first failure */
	} parts[MOST_PARTS];
	size_t part_count;
	const char
	    *counted; /* "goroutine" or "threads", whose number may rise; NULL: not offered */
};

static void
warn(const struct gathering *g, const char *sentence)
{
	if (g->options->warn)
		g->options->warn(g->options->context, sentence);
}

/* Says it at the end, with how often; now where too much was said already. */
static void
warn_later(struct gathering *g, const char *sentence)
{
	for (size_t i = 0; i < g->said_count; i++) {
		if (strncmp(g->said[i].sentence, sentence, sizeof g->said[i].sentence - 1) == 0) {
			g->said[i].times++;
			return;
		}
	}
	if (g->said_count == MOST_SAID) {
		warn(g, sentence);
		return;
	}
	snprintf(g->said[g->said_count].sentence, sizeof g->said->sentence, "%s", sentence);
	g->said[g->said_count++].times = 1;
}

static void
say_all(const struct gathering *g)
{
	char text[sizeof g->said->sentence + 64];

	for (size_t i = 0; i < g->said_count; i++) {
		const struct said *s = &g->said[i];

		snprintf(text, sizeof text, "%s (%zu times)", s->sentence, s->times);
		warn(g, s->times > 1 ? text : s->sentence);
	}
}

/* Notes whether there was such a thing: what there was once is not missing. */
static void
note_part(struct gathering *g, const char *what, const struct pf_error *why)
{
	struct part *p = g->parts;

	while (p < g->parts + g->part_count && strcmp(p->what, what) != 0)
		p++;
	if (p == g->parts + MOST_PARTS)
		return;
	if (p == g->parts + g->part_count) {
		*p = (struct part){.what = what};
		p->why = why ? *why : p->why;
		g->part_count++;
	}
	p->got |= !why;
}

/* What the service never gave was not judged: every report says so. */
static int
tell_missing(const struct gathering *g, struct pf_error *err)
{
	const struct part *first = NULL;
	struct pf_buffer text;
	uint32_t id;
	int rc;

	pf_buffer_init(&text, PF_BUFFER_NO_MAXIMUM);
	for (size_t i = 0; i < g->part_count; i++) {
		if (g->parts[i].got)
			continue;
		pf_buffer_printf(&text, "%s%s",
		    first ? ", " : "The service gave no profile of: ", g->parts[i].what);
		first = first ? first : &g->parts[i];
	}
	if (first)
		pf_buffer_printf(
		    &text, ". What these would show was not judged (%s).", first->why.message);
	rc = pf_buffer_check(&text, err);
	if (!rc && text.size)
		rc = pf_strings_add(
		    &g->tune->unjudged, (const char *)text.bytes, text.size, &id, err);
	pf_buffer_release(&text);
	return rc;
}

/* Keeps the first failure for the case that all fail: then it is the error, and no warnings are wanted. */
static void
pass_over(struct gathering *g, const char *what, const struct pf_error *why)
{
	char sentence[sizeof why->message + 64];

	if (!g->failed)
		g->first = *why;
	g->failed = true;
	note_part(g, what, why);
	snprintf(sentence, sizeof sentence, "%s is left out: %s", what, why->message);
	warn_later(g, sentence);
}

/* What a service may lack; anything else ends the gathering. */
static bool
may_lack(int rc)
{
	return rc == PF_EIO || rc == PF_EINPUT || rc == PF_EUSAGE;
}

/* A tick that remembers that it was answered with "stop". */
static bool
on_tick(void *context, const struct pf_collect_progress *progress)
{
	struct gathering *g = context;

	if (g->options->tick && g->options->tick(g->options->context, progress))
		g->stopped = true;
	return g->stopped;
}

static void
on_warning(void *context, const char *sentence)
{
	struct gathering *g = context;
	char told[1024];

	if (g->may_be_empty)
		return;
	snprintf(told, sizeof told, "%s: %s", g->asked, sentence);
	warn_later(g, told);
}

static int
get_text(const struct gathering *g, const struct pf_url *url, struct pf_http_result *result,
    struct pf_error *err)
{
	const struct pf_collect_options *o = g->options;
	struct pf_tls_settings tls = {.ca_file = o->ca_file,
	    .cert_file = o->cert_file,
	    .key_file = o->key_file,
	    .insecure = o->insecure};
	struct pf_credential_sources from = {.bearer_token = o->bearer_token,
	    .bearer_token_file = o->bearer_token_file,
	    .username = o->username,
	    .password = o->password,
	    .password_file = o->password_file,
	    .header_file = o->header_file};
	struct pf_credentials credentials = {0};
	struct pf_http_request request = {.url = url,
	    .tls = &tls,
	    .credentials = &credentials,
	    .limits = {.connect_timeout = o->connect_timeout > 0 ? o->connect_timeout : 10,
		.timeout = o->timeout > 0 && o->timeout < TEXT_SECONDS ? o->timeout : TEXT_SECONDS,
		.stall_timeout = 10,
		.max_body = TEXT_BYTES},
	    .max_redirects = 5};
	int rc = pf_credentials_load(&credentials, &from, err);

	if (!rc)
		rc = pf_http_get(&request, result, err);
	pf_credentials_release(&credentials);
	return rc;
}

/* What a knock tells, if it is answered at all: however it answers, it is there. */
enum knock { ANSWERED, REFUSED, SILENT };

static enum knock
knock(const struct gathering *g)
{
	char address[PATH_ROOM + 64];
	struct pf_tls_settings tls = {0};
	struct pf_http_request request = {.tls = &tls,
	    .limits = {.connect_timeout = KNOCK_SECONDS,
		.timeout = KNOCK_SECONDS,
		.stall_timeout = KNOCK_SECONDS,
		.max_body = KNOCK_BYTES}};
	struct pf_http_result result = {0};
	struct pf_error why = {0};
	enum knock found = ANSWERED;
	struct pf_url *url = NULL;
	double begun = pf_net_now();

	snprintf(address, sizeof address, "%s/", g->base);
	if (!pf_url_parse(&url, address, &why)) {
		request.url = url;
		if (pf_http_get(&request, &result, &why))
			found = result.refused                               ? REFUSED
				: pf_net_now() - begun > 0.9 * KNOCK_SECONDS ? SILENT
									     : ANSWERED;
	}
	pf_http_result_release(&result);
	pf_url_free(url);
	return found;
}

/*
 * Whether it no longer takes connections: then all that is left would fail for the same reason. If it is slow to
 * answer, it is there.
 */
static bool
is_gone(struct gathering *g)
{
	g->gone = knock(g) == REFUSED;
	return g->gone;
}

/* Whether it has let the very first question wait for as long as this, and no other is answered either. */
static bool
hangs(struct gathering *g, double seconds)
{
	g->gone = !g->got && !g->failed && seconds > KNOCK_SECONDS && knock(g) == SILENT;
	return g->gone;
}

/* A profile by type, or by the rest of its address. */
static int
fetch(struct gathering *g, const char *type, const char *path, uint32_t seconds, bool base,
    struct pf_error *err)
{
	struct pf_collect_options o = *g->options;
	struct pf_collected *collected = NULL;
	struct pf_error why = {0};
	char url[PATH_ROOM + 64];
	double begun = pf_net_now();
	size_t size;
	int rc;

	o.type = path ? NULL : type;
	o.seconds = seconds;
	o.tick = on_tick;
	o.warn = on_warning;
	o.context = g;
	g->asked = type;
	snprintf(url, sizeof url, "%s%s", g->base, path ? path : "/");
	rc = pf_collect(&collected, url, &o, &why);
	if (g->stopped)
		rc = pf_error_set(err, PF_EIO, "interrupted");
	else if (rc && may_lack(rc) && g->got && is_gone(g))
		rc = pf_error_set(
		    err, PF_EIO, "the service went away while it was looked at: %s", why.message);
	else if (rc && may_lack(rc) && hangs(g, pf_net_now() - begun))
		rc = pf_error_set(err, rc, "%s", why.message);
	else if (rc && may_lack(rc))
		pass_over(g, type, &why);
	else if (rc)
		rc = pf_error_set(err, rc, "%s", why.message);
	if (!rc) {
		const void *bytes = pf_collected_bytes(collected, &size);
		rc = pf_tune_add(g->tune, pf_collected_source(collected), bytes, size, base, err);
		g->got++;
		note_part(g, type, NULL);
	} else if (may_lack(rc) && !g->stopped && !g->gone) {
		rc = 0;
	}
	pf_collected_free(collected);
	return rc;
}

static int
fetch_heap(struct gathering *g, struct pf_error *err)
{
	struct pf_evidence *e = &g->tune->evidence;
	size_t got = g->got;
	double begun = pf_net_now();
	int rc = fetch(g, "heap", heap, 0, false, err);

	if (g->got == got)
		return rc;
	e->asked++;
	/* Not of the first: what there is to walk may have become more since. */
	if (e->asked > 1)
		e->answered = fmin(e->answered, pf_net_now() - begun);
	return rc;
}

/* Statistics that are no profile: metrics, the agent's figures of the allocator. */
static int
fetch_text(struct gathering *g, const char *path, struct pf_error *err)
{
	struct pf_http_result result = {0};
	struct pf_error why = {0};
	struct pf_url *url = NULL;
	char address[PATH_ROOM + 64];
	bool known = false;
	int rc;

	snprintf(address, sizeof address, "%s%s", g->base, path);
	rc = pf_url_parse(&url, address, err);
	if (rc)
		return rc;
	rc = get_text(g, url, &result, &why);
	if (rc == PF_ENOMEM)
		return pf_error_nomem(err);
	if (!rc && result.answer.status == 200 && result.answer.body.size)
		rc = pf_evidence_add_stats(&g->tune->evidence, pf_url_display(url),
		    result.answer.body.bytes, result.answer.body.size, false, &known, &why);
	if (!rc && known)
		rc = pf_tune_note(g->tune, pf_url_display(url), err);
	else if (may_lack(rc))
		rc = 0;
	pf_http_result_release(&result);
	pf_url_free(url);
	return rc;
}

/* "host:port/debug/pprof/" and "host:port" mean the same. */
static int
take_base(struct gathering *g, const char *url, struct pf_error *err)
{
	static const char prefix[] = "/debug/pprof";
	size_t size = strlen(url);

	while (size && url[size - 1] == '/')
		size--;
	if (size >= sizeof prefix - 1 &&
	    memcmp(url + size - (sizeof prefix - 1), prefix, sizeof prefix - 1) == 0)
		size -= sizeof prefix - 1;
	if (!size || size >= sizeof g->base || memchr(url, '?', size))
		return pf_error_set(err, PF_EUSAGE,
		    "--service wants the address of the service itself, such as "
		    "http://127.0.0.1:2121");
	memcpy(g->base, url, size);
	g->base[size] = '\0';
	return 0;
}

/* Seconds of rest, as long as nobody says stop. */
static int
rest(struct gathering *g, double seconds, struct pf_error *err)
{
	double end = pf_net_now() + seconds;

	for (double left; (left = end - pf_net_now()) > 0;) {
		struct timespec step = {.tv_nsec = left < 0.1 ? (long)(left * 1e9) : 100000000};
		struct pf_collect_progress progress = {.phase = PF_COLLECT_WAITING,
		    .elapsed = seconds - left,
		    .source = g->base,
		    .type = "heap"};
		if (on_tick(g, &progress))
			return pf_error_set(err, PF_EIO, "interrupted");
		nanosleep(&step, NULL);
	}
	return 0;
}

/* What the agent's threads do, on the processor and off it, over a part of the time that memory is watched. */
static int
watch_threads(struct gathering *g, double seconds, struct pf_error *err)
{
	uint32_t whole = seconds < 1 ? 1 : (uint32_t)seconds;
	size_t got = g->got;
	int rc = fetch(g, "threads over a window", "/debug/pprof/threads", whole, false, err);

	return rc || g->got > got ? rc : rest(g, seconds, err);
}

/* Waiting at locks and elsewhere, since the service began. */
static int
fetch_waits(struct gathering *g, struct waits *w, struct pf_error *err)
{
	const struct pf_evidence *e = &g->tune->evidence;
	size_t at = e->profile_count;
	int rc = fetch(g, w->type, NULL, 0, false, err);

	w->got = !rc && e->profile_count > at;
	w->profile = at;
	w->at = pf_net_now();
	return rc;
}

/* And since it was asked first. */
static int
fetch_waits_again(struct gathering *g, struct waits *w, struct pf_error *err)
{
	struct waits first = *w;
	int rc;

	if (!first.got)
		return 0;
	g->may_be_empty = true;
	rc = fetch_waits(g, w, err);
	g->may_be_empty = false;
	if (rc || !w->got)
		return rc;
	return pf_evidence_waited(
	    &g->tune->evidence, first.profile, w->profile, w->at - first.at, err);
}

/* One more of a series of what there is of goroutines or threads. */
static int
count_again(struct gathering *g, struct pf_error *err)
{
	return g->counted ? fetch(g, g->counted, NULL, 0, false, err) : 0;
}

/* The first of it: what is not there is not asked for again. */
static int
count_first(struct gathering *g, bool go, struct pf_error *err)
{
	size_t got = g->got;
	int rc;

	g->counted = go ? "goroutine" : "threads";
	rc = count_again(g, err);
	if (g->got == got)
		g->counted = NULL;
	return rc;
}

static int
watch_memory(struct gathering *g, uint32_t seconds, bool go, struct pf_error *err)
{
	double each = (double)seconds / MORE_SNAPSHOTS;
	int rc = 0;

	for (int i = 0; !rc && i < MORE_SNAPSHOTS && g->has_heap; i++) {
		rc = i || go ? rest(g, each, err) : watch_threads(g, each, err);
		if (!rc)
			rc = fetch_heap(g, err);
		if (!rc)
			rc = count_again(g, err);
	}
	return rc;
}

/* Of a master and its workers each has an agent: the address is one's, the number may be another's. */
static int
check_answerer(const struct gathering *g, struct pf_error *err)
{
	char address[PATH_ROOM + 64];
	struct pf_http_result result = {0};
	struct pf_error why = {0};
	struct pf_url *url = NULL;
	int rc = 0;

	if (!g->tune->process || !g->got)
		return 0;
	pf_evidence_look_first(&g->tune->evidence, g->tune->process);
	snprintf(address, sizeof address, "%s/debug/pprof/", g->base);
	if (!pf_url_parse(&url, address, &why) && !get_text(g, url, &result, &why) &&
	    result.answer.status == 200)
		rc = pf_check_answerer(
		    result.answer.body.bytes, result.answer.body.size, g->tune->process, err);
	pf_http_result_release(&result);
	pf_url_free(url);
	return rc;
}

/* Now, not after a minute: evidence of two programs would be mixed. */
static int
check_program(const struct pf_tune *t, struct pf_error *err)
{
	return t->process ? pf_evidence_check_process(&t->evidence, t->process, err) : 0;
}

static int
gather(struct gathering *g, struct pf_error *err)
{
	static const char memstats[] =
	    "/debug/pprof/heap?debug=1"; /* Go's; as a profile it has no names */
	struct pf_tune *t = g->tune;
	bool go;
	int rc = fetch_heap(g, err);

	g->has_heap = g->got > 0;
	if (!rc)
		rc = check_program(t, err);
	if (!rc)
		rc = check_answerer(g, err);
	if (!rc)
		rc = fetch_text(g, memstats, err);
	if (!rc)
		rc = fetch_text(g, "/metrics", err);
	go = pf_evidence_stats_last(&t->evidence, PF_STATS_GO, NULL) != NULL;
	if (!rc && g->has_heap)
		rc = count_first(g, go, err);
	for (size_t i = 0; !rc && i < 2 && g->got; i++)
		rc = fetch_waits(g, &g->waits[i], err);
	if (!rc)
		rc = fetch(g, "cpu", NULL, g->options->seconds, false, err);
	if (!rc)
		rc = check_program(t, err); /* the heap may have had no sample */
	/* Nothing there at all: the next six would only say the same. */
	if (!rc && !g->got)
		return pf_error_set(err, g->first.code, "%s", g->first.message);
	if (!rc)
		rc = g->has_heap ? count_again(g, err) : count_first(g, go, err);
	if (!rc && go)
		rc = fetch(g, "goroutine dump", "/debug/pprof/goroutine?debug=2", 0, false, err);
	for (size_t i = 0; !rc && i < 2; i++)
		rc = g->waits[i].at > 0 ? 0 : fetch_waits(g, &g->waits[i], err);
	if (!rc && !go) /* the agent's */
		rc = fetch(g, "frees", "/debug/pprof/frees", 0, false, err);
	if (!rc)
		rc = watch_memory(g, g->options->seconds ? g->options->seconds : WINDOW, go, err);
	for (size_t i = 0; !rc && i < 2; i++)
		rc = fetch_waits_again(g, &g->waits[i], err);
	if (!rc)
		rc = fetch_text(g, memstats, err);
	if (!rc)
		rc = fetch_text(g, "/debug/pprof/allocator", err);
	if (!rc && !t->process) /* which tells more */
		rc = fetch_text(g, "/debug/pprof/memory", err);
	if (!rc)
		rc = fetch_text(g, "/metrics", err);
	return rc;
}

int
pf_tune_add_service(struct pf_tune *t, const char *url, const struct pf_collect_options *options,
    struct pf_error *err)
{
	struct pf_collect_options none = PF_COLLECT_OPTIONS_INIT;
	struct gathering g = {.tune = t,
	    .options = options ? options : &none,
	    .waits = {{.type = "mutex"}, {.type = "block"}}};
	int rc = take_base(&g, url, err);

	t->live = true;
	if (!rc)
		rc = gather(&g, err);
	if (!rc)
		rc = pf_tune_read_trace_again(t, err);
	if (!rc)
		rc = tell_missing(&g, err);
	if (g.got && !g.gone)
		say_all(&g);
	return rc;
}
