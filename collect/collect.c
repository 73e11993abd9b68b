/*
 * collect.c: asking until there is a profile or a reason; see profuse/collect.h.
 *
 * What an answer means is answer.c's, where to ask endpoint.c's, how to fetch
 * net/http.c's: here is only the order of things, the retries and the checks of
 * the body.
 */
#include <profuse/collect.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "attach.h"
#include "backoff.h"
#include "collected.h"
#include "core/error.h"
#include "endpoint.h"
#include "profile/model.h"

enum { SLACK = 30, DEFAULT_RATIO = 200, DEFAULT_REDIRECTS = 5 };

struct collection {
	struct pf_collect_options options;
	struct pf_endpoint endpoint;
	struct pf_credentials credentials;
	struct pf_tls_settings tls;
	struct pf_http_request request;
	struct pf_collect_progress progress;
	double phase_began;
};

static void
warn(const struct collection *c, const char *sentence)
{
	if (c->options.warn)
		c->options.warn(c->options.context, sentence);
}

/* True: the caller wants it to end. */
static bool
tick(struct collection *c)
{
	c->progress.elapsed = pf_net_now() - c->phase_began;
	return c->options.tick && c->options.tick(c->options.context, &c->progress);
}

static bool
on_transfer(void *context, bool body_begun, size_t body_bytes)
{
	struct collection *c = context;

	c->progress.phase = body_begun ? PF_COLLECT_RECEIVING : PF_COLLECT_WAITING;
	c->progress.bytes = body_bytes;
	return tick(c);
}

static void
begin_phase(struct collection *c, enum pf_collect_phase phase)
{
	c->progress.phase = phase;
	c->progress.bytes = 0;
	c->progress.source = pf_url_display(c->request.url);
	c->progress.type = c->endpoint.type;
	c->progress.seconds = c->endpoint.seconds;
	c->phase_began = pf_net_now();
}

static double
or_default(double value, double other)
{
	return value > 0 ? value : other;
}

static int
set_times(struct collection *c, struct pf_error *err)
{
	struct pf_collect_options *o = &c->options;
	double window = c->endpoint.seconds;

	o->connect_timeout = or_default(o->connect_timeout, 10);
	o->timeout = or_default(o->timeout, window + SLACK);
	o->stall_timeout = or_default(o->stall_timeout, 10);
	o->retry_for = o->retry_for < 0 ? 0 : or_default(o->retry_for, window + SLACK);
	if (o->timeout <= window)
		return pf_error_set(err, PF_EUSAGE,
		    "--timeout %g s must be longer than the window of %g s", o->timeout, window);
	c->request.limits = (struct pf_http_limits){
	    .connect_timeout = o->connect_timeout,
	    .timeout = o->timeout,
	    .stall_timeout = o->stall_timeout,
	    .quiet = window,
	    .max_body =
		o->max_size > PF_BUFFER_NO_MAXIMUM ? PF_BUFFER_NO_MAXIMUM : (size_t)o->max_size,
	};
	if (!o->max_size)
		c->request.limits.max_body = (size_t)256 << 20;
	return 0;
}

static int
set_identity(struct collection *c, struct pf_error *err)
{
	const struct pf_collect_options *o = &c->options;
	struct pf_credential_sources sources = {.bearer_token = o->bearer_token,
	    .bearer_token_file = o->bearer_token_file,
	    .username = o->username,
	    .password = o->password,
	    .password_file = o->password_file,
	    .header_file = o->header_file};

	if (o->key_file && !o->cert_file)
		return pf_error_set(
		    err, PF_EUSAGE, "a key is given without its certificate; add --cert");
	c->tls = (struct pf_tls_settings){.ca_file = o->ca_file,
	    .cert_file = o->cert_file,
	    .key_file = o->key_file,
	    .insecure = o->insecure};
	return pf_credentials_load(&c->credentials, &sources, err);
}

static void
warn_about_plain_http(const struct collection *c)
{
	char sentence[512];

	if (!pf_credentials_any(&c->credentials) || pf_url_is_https(c->endpoint.url) ||
	    pf_url_is_loopback(c->endpoint.url))
		return;
	snprintf(sentence, sizeof sentence,
	    "credentials go to %s unencrypted; use https where the service has it",
	    pf_url_host(c->endpoint.url));
	warn(c, sentence);
}

static int
prepare(struct collection *c, const char *address, struct pf_error *err)
{
	int rc = pf_endpoint_init(&c->endpoint, address, c->options.type, c->options.seconds, err);

	if (!rc)
		rc = set_times(c, err);
	if (!rc)
		rc = set_identity(c, err);
	if (rc)
		return rc;
	c->request.url = c->endpoint.url;
	c->request.tls = &c->tls;
	c->request.credentials = &c->credentials;
	c->request.max_redirects =
	    c->options.max_redirects < 0 ? 0 : (unsigned)c->options.max_redirects;
	if (c->options.max_redirects == 0)
		c->request.max_redirects = DEFAULT_REDIRECTS;
	c->request.tick = on_transfer;
	c->request.context = c;
	warn_about_plain_http(c);
	return 0;
}

/* Sleeps in small steps, so that an interruption is heard. */
static int
pause_for(struct collection *c, double seconds, struct pf_error *err)
{
	begin_phase(c, PF_COLLECT_RETRYING);
	for (;;) {
		double left = seconds - (pf_net_now() - c->phase_began);
		struct timespec step = {.tv_nsec = left < 0.1 ? (long)(left * 1e9) : 100000000};
		if (left <= 0)
			return 0;
		if (tick(c))
			return pf_error_set(err, PF_EIO,
			    "%s: interrupted while waiting to try again; nothing was written",
			    pf_url_display(c->request.url));
		nanosleep(&step, NULL);
	}
}

static uint32_t
ratio(const struct collection *c)
{
	return c->options.max_size ? 0 : DEFAULT_RATIO;
}

static int
attempt(struct collection *c, struct pf_http_result *result, enum pf_answer_kind *kind,
    struct pf_error *err)
{
	int rc;

	c->progress.attempt++;
	begin_phase(c, PF_COLLECT_WAITING);
	rc = pf_http_get(&c->request, result, err);
	if (!rc)
		rc = pf_answer_decode(&result->answer, pf_url_display(result->url), ratio(c), err);
	if (!rc)
		*kind = pf_answer_classify(&result->answer);
	return rc;
}

/* A busy service: waits for the next attempt, or gives up with the whole story. */
static int
wait_or_give_up(struct collection *c, const struct pf_http_result *result, double began, bool have,
    struct pf_error *err)
{
	double spent = pf_net_now() - began;
	uint64_t seed = (uint64_t)(pf_net_now() * 1e9) ^ (uint64_t)getpid();
	double delay = pf_backoff_delay(c->progress.attempt, result->answer.retry_after, seed);
	int rc;

	if (spent + delay <= c->options.retry_for)
		return pause_for(c, delay, err);
	rc = pf_answer_explain(result, have, err);
	if (c->progress.attempt > 1)
		pf_error_prefix(
		    err, "gave up after %u attempts in %.3g s", c->progress.attempt, spent);
	return rc;
}

/* Asks until the service gives something that is not "later" or a final no. */
static int
ask(struct collection *c, struct pf_http_result *result, struct pf_error *err)
{
	bool have = pf_credentials_any(&c->credentials) || c->tls.cert_file;
	struct pf_error first = {0};
	double began = pf_net_now();
	enum pf_answer_kind kind = PF_ANSWER_REFUSED;

	for (;;) {
		int rc = attempt(c, result, &kind, err);
		if (rc || kind == PF_ANSWER_BODY)
			return rc;
		if (kind == PF_ANSWER_BUSY) {
			rc = wait_or_give_up(c, result, began, have, err);
			if (rc)
				return rc;
		} else if (kind == PF_ANSWER_ABSENT && c->endpoint.fallback &&
			   c->request.url != c->endpoint.fallback) {
			pf_answer_explain(result, have, &first);
			c->request.url = c->endpoint.fallback;
		} else {
			rc = pf_answer_explain(result, have, err);
			if (kind == PF_ANSWER_ABSENT && first.code && err)
				*err = first; /* the usual address is the one to complain about */
			return rc;
		}
		pf_http_result_release(result);
	}
}

/* The most likely reason. The agent records waiting always, and memory by samples. */
static const char *
why_empty(const char *type, bool agent)
{
	if (strcmp(type, "cpu") == 0)
		return "the profile has no samples: the process used hardly any CPU in the window";
	if (strcmp(type, "mutex") == 0 || strcmp(type, "block") == 0)
		return agent ? "the profile has no samples: nothing had to wait"
			     : "the profile has no samples: nothing had to wait, or the service "
			       "doesn't record it (Go does only after "
			       "runtime.SetMutexProfileFraction or runtime.SetBlockProfileRate)";
	if (agent && (strcmp(type, "heap") == 0 || strcmp(type, "allocs") == 0))
		return "the profile has no samples: too little was allocated under the agent for "
		       "one to be taken (PROFUSE_HEAP says how rare they are, 512 KiB unless set)";
	return "the profile has no samples";
}

static void
warn_about_content(const struct collection *c, const struct pf_profile *profile)
{
	double measured = (double)pf_profile_duration_nanos(profile) * 1e-9,
	       window = c->endpoint.seconds;
	const char *type = c->endpoint.type;
	char sentence[256];

	if (measured > 0 && window > 0 && measured < 0.8 * window) {
		snprintf(sentence, sizeof sentence,
		    "the profile covers %.3g s, not the %.3g s asked for", measured, window);
		warn(c, sentence);
	}
	if (!pf_profile_sample_count(profile))
		warn(c, why_empty(type, pf_profile_says(profile, PF_AGENT_SAYS)));
}

static int
finish(struct collection *c, struct pf_http_result *result, struct pf_collected *to,
    struct pf_error *err)
{
	struct pf_read_options options = PF_READ_OPTIONS_INIT;
	int rc;

	options.max_size = c->request.limits.max_body;
	options.max_ratio = ratio(c);
	rc = pf_collected_take(to, result, &options, err);
	if (rc)
		return rc;
	pf_sha256_hex(to->sha256, to->bytes.bytes, to->bytes.size);
	memcpy(to->type, c->endpoint.type, sizeof to->type);
	to->seconds = c->endpoint.seconds;
	to->attempts = c->progress.attempt;
	warn_about_content(c, to->profile);
	return 0;
}

static int
fetch(struct collection *c, struct pf_collected *collected, const char *url, struct pf_error *err)
{
	struct pf_http_result result = {0};
	int rc = prepare(c, url, err);

	if (!rc)
		rc = ask(c, &result, err);
	if (!rc)
		rc = finish(c, &result, collected, err);
	pf_http_result_release(&result);
	pf_credentials_release(&c->credentials);
	pf_endpoint_release(&c->endpoint);
	return rc;
}

int
pf_collect(struct pf_collected **collected, const char *url,
    const struct pf_collect_options *options, struct pf_error *err)
{
	struct collection c = {.options = PF_COLLECT_OPTIONS_INIT};
	int rc;

	if (options)
		memcpy(&c.options, options,
		    options->struct_size < sizeof c.options ? options->struct_size
							    : sizeof c.options);
	*collected = calloc(1, sizeof **collected);
	if (!*collected)
		return pf_error_nomem(err);
	if (pf_attach_is(url)) {
		rc = pf_attach(*collected, url, &c.options, err);
		if (!rc)
			pf_sha256_hex((*collected)->sha256, (*collected)->bytes.bytes,
			    (*collected)->bytes.size);
	} else {
		rc = fetch(&c, *collected, url, err);
	}
	if (rc) {
		pf_collected_free(*collected);
		*collected = NULL;
	}
	return rc;
}
