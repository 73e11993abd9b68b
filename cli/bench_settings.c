/* bench_settings.c: from the command line to options of the library; see bench_settings.h. */
#include "bench_settings.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

int
bench_format_of(const char *path, enum pf_bench_format *format, struct pf_error *err)
{
	static const struct {
		const char *ending;
		enum pf_bench_format format;
	} known[] = {{".json", PF_BENCH_JSON}, {".md", PF_BENCH_MARKDOWN}, {".html", PF_BENCH_HTML},
	    {".hgrm", PF_BENCH_HGRM}, {".hlog", PF_BENCH_HLOG}};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++) {
		if (strcmp(dot, known[i].ending) == 0) {
			*format = known[i].format;
			return 0;
		}
	}
	return pf_error_set(err, PF_EUSAGE,
	    "-o %s: the name must end in .html, .md, .json, .hgrm or .hlog, which chooses the "
	    "format",
	    path);
}

static int
take_rate(const char *text, double *rate, struct pf_error *err)
{
	char *end;

	*rate = 0;
	if (!text)
		return 0;
	*rate = strcmp(text, "max") == 0 ? HUGE_VAL : strtod(text, &end);
	if (!isinf(*rate) && (!isdigit((unsigned char)text[0]) || *end))
		return pf_error_set(
		    err, PF_EUSAGE, "--rate %s: expected requests a second, or max", text);
	return 0;
}

int
bench_fill_options(const struct settings *s, struct pf_bench_options *o, struct pf_error *err)
{
	*o = (struct pf_bench_options)PF_BENCH_OPTIONS_INIT;
	o->pairs = s->pairs == BENCH_UNSET ? 0 : s->pairs;
	o->warmup_pairs = s->warmup_pairs == BENCH_UNSET ? SIZE_MAX : s->warmup_pairs;
	o->repeats = s->repeats == BENCH_UNSET ? SIZE_MAX : s->repeats;
	o->looks = s->looks;
	o->tolerance = s->tolerance / 100;
	o->calibrate = s->calibrate_pairs != BENCH_UNSET ? s->calibrate_pairs
		       : s->tolerance > 0                ? 10
							 : 0;
	o->primary = s->primary;
	o->duet = s->duet;
	o->has_seed = s->seed != BENCH_UNSET;
	o->seed = s->seed;
	o->confidence = s->confidence / 100;
	o->max_foreign = s->max_foreign / 100;
	o->grace = s->grace;
	o->run_timeout = s->run_timeout;
	o->output = s->output;
	o->gates = s->gates.items;
	o->gate_count = s->gates.count;
	o->urls = s->urls.items;
	o->url_count = s->urls.count;
	if (!s->urls.count && !s->before && s->before_url) {
		o->urls = &s->before_url;
		o->url_count = 1;
	}
	o->load_file = s->load_file;
	o->replay = s->replay;
	o->replay_speed = s->replay_speed;
	o->headers = s->headers.items;
	o->header_count = s->headers.count;
	o->ready_url = s->ready;
	o->metrics_url = s->metrics;
	o->duration = s->duration;
	o->warmup = s->warmup;
	o->idle = s->idle;
	o->request_timeout = s->request_timeout;
	o->ready_timeout = s->ready_timeout;
	o->connections = s->connections;
	o->arrivals = s->arrivals == 1 ? PF_ARRIVALS_POISSON : PF_ARRIVALS_CONSTANT;
	o->http2 = s->http2;
	o->ca_file = s->ca_file;
	o->insecure = s->insecure;
	o->go_trace = s->go_trace;
	o->pin = s->pin;
	return take_rate(s->rate, &o->rate, err);
}

static int
add_variant(struct variants *v, const char *text, struct pf_error *err)
{
	const char *equals = strchr(text, '=');
	size_t size = equals ? (size_t)(equals - text) : strlen(text);

	if (size == 0 || size >= sizeof v->names[0] || memchr(text, '/', size) ||
	    memchr(text, ':', size))
		return pf_error_set(err, PF_EUSAGE,
		    "--variant %.60s: expected NAME or NAME=CMD, the name without : and /", text);
	if (v->count == PF_BENCH_VARIANTS)
		return pf_error_set(
		    err, PF_EUSAGE, "bench compares at most %d variants", PF_BENCH_VARIANTS);
	snprintf(v->names[v->count], sizeof v->names[0], "%.*s", (int)size, text);
	for (size_t i = 0; i < v->count; i++) {
		if (strcmp(v->items[i].name, v->names[v->count]) == 0)
			return pf_error_set(
			    err, PF_EUSAGE, "--variant %s: there are two of this name", text);
	}
	v->items[v->count] = (struct pf_bench_variant){
	    .name = v->names[v->count], .command = equals ? equals + 1 : NULL};
	v->count++;
	return 0;
}

static int
add_variant_environment(struct variants *v, const char *text, struct pf_error *err)
{
	const char *colon = strchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : 0;

	for (size_t i = 0; colon && i < v->count; i++) {
		struct pf_bench_variant *x = &v->items[i];
		if (strlen(x->name) != size || strncmp(x->name, text, size) != 0)
			continue;
		if (x->environment_count == MOST_ENVIRONMENT)
			break;
		if (x->environment != v->environment[i] && x->environment_count)
			return pf_error_set(err, PF_EUSAGE,
			    "--variant-env %.60s: %s has its own option for that", text, x->name);
		v->environment[i][x->environment_count++] = colon + 1;
		x->environment = v->environment[i];
		return 0;
	}
	return pf_error_set(err, PF_EUSAGE,
	    "--variant-env %.60s: expected NAME:VAR=VALUE with the name of a --variant", text);
}

int
bench_fill_variants(const struct settings *s, struct variants *v, struct pf_error *err)
{
	int rc = 0;

	v->items[0] = (struct pf_bench_variant){.name = "before",
	    .command = s->before,
	    .environment = s->before_env.items,
	    .environment_count = s->before_env.count,
	    .origin = s->before_url,
	    .pid = (int)s->before_pid};
	v->count = 1;
	if (s->calibrate) {
		v->items[v->count++] = v->items[0];
		v->items[1].name = "after";
	} else if (s->after || s->after_env.count || s->after_url) {
		v->items[v->count++] = (struct pf_bench_variant){.name = "after",
		    .command = s->after,
		    .environment = s->after_env.items,
		    .environment_count = s->after_env.count,
		    .origin = s->after_url,
		    .pid = (int)s->after_pid};
	}
	for (size_t i = 0; !rc && i < s->variants.count; i++)
		rc = add_variant(v, s->variants.items[i], err);
	for (size_t i = 0; !rc && i < s->variant_env.count; i++)
		rc = add_variant_environment(v, s->variant_env.items[i], err);
	return rc;
}
