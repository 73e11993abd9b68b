/* load_replay.c: see load_replay.h. */
#include "bench/load_replay.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/load_request.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/strings.h"

struct replay {
	struct pf_load *load;
	const struct pf_request_maker *maker;
	const char *path;
	struct pf_strings known; /* request lines; string i + 1 is request i */
	bool whole_seconds;
};

static int
bad_line(struct pf_error *err)
{
	return pf_error_set(err, PF_EINPUT,
	    "expected \"SECONDS METHOD /path [BODY]\" or a line of an access log "
	    "(… [time] \"METHOD /path HTTP/1.1\" …)");
}

/* "[25/Nov/2026:22:13:01 +0000]" as seconds since the epoch; false for anything else. */
static bool
log_time(const char *text, double *seconds)
{
	struct tm t = {0};
	const char *end = strptime(text, "[%d/%b/%Y:%H:%M:%S %z", &t);
	long east = t.tm_gmtoff;

	if (!end || *end != ']')
		return false;
	*seconds = (double)(timegm(&t) - east);
	return true;
}

/* Takes an access log's line apart in place: "METHOD /path". */
static bool
split_access(char *line, double *at, char **method, char **path)
{
	char *bracket = strchr(line, '['), *quote = bracket ? strchr(bracket, '"') : NULL, *end;

	if (!quote || !log_time(bracket, at))
		return false;
	end = strchr(quote + 1, '"');
	if (!end)
		return false;
	*end = 0;
	*method = quote + 1;
	*path = pf_request_cut_word(*method);
	pf_request_cut_word(*path); /* ends the path before "HTTP/1.1" */
	return **method && **path == '/';
}

static int
add_record(struct replay *r, double at, const char *method, const char *path, const char *rest,
    struct pf_error *err)
{
	struct pf_load *load = r->load;
	struct pf_buffer key;
	uint32_t id;
	int rc;

	pf_buffer_init(&key, PF_REQUEST_FILE_MAXIMUM);
	pf_buffer_printf(&key, "%s %s %s", method, path, rest);
	rc = pf_buffer_check(&key, err);
	if (!rc)
		rc = pf_strings_add(&r->known, (const char *)key.bytes, key.size, &id, err);
	pf_buffer_release(&key);
	if (!rc && id > load->count)
		rc = pf_request_add_words(
		    load, r->maker, r->path, method, path, rest, 1, NULL, 0, err);
	if (!rc)
		rc = PF_GROW(load->records, load->record_capacity, load->record_count + 1, err);
	if (!rc)
		load->records[load->record_count] =
		    (struct pf_load_record){at, id - 1, (uint32_t)load->record_count};
	load->record_count += !rc;
	return rc;
}

static int
take_line(struct replay *r, char *line, struct pf_error *err)
{
	char *method, *path, *rest, *end, none[] = "";
	double at;

	rest = none;
	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return 0;
	at = strtod(line, &end);
	if (end != line && (*end == ' ' || *end == '\t') && isfinite(at)) {
		method = end + strspn(end, " \t");
		path = pf_request_cut_word(method);
		rest = pf_request_cut_word(path);
	} else if (split_access(line, &at, &method, &path)) {
		r->whole_seconds = true;
	} else {
		return bad_line(err);
	}
	return path[0] == '/' ? add_record(r, at, method, path, rest, err) : bad_line(err);
}

static int
by_time(const void *a, const void *b)
{
	const struct pf_load_record *x = a, *y = b;

	if (x->at < y->at || x->at > y->at)
		return x->at < y->at ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Requests of one second, evenly over it. */
static void
spread(struct pf_load *load)
{
	for (size_t i = 0, end; i < load->record_count; i = end) {
		double second = load->records[i].at;
		for (end = i; end < load->record_count && load->records[end].at <= second;)
			end++;
		for (size_t j = i; j < end; j++)
			load->records[j].at += (double)(j - i) / (double)(end - i);
	}
}

static void
finish(struct replay *r, double speed)
{
	struct pf_load *load = r->load;
	double first;

	qsort(load->records, load->record_count, sizeof *load->records, by_time);
	if (r->whole_seconds)
		spread(load);
	first = load->records[0].at;
	for (size_t i = 0; i < load->record_count; i++)
		load->records[i].at = (load->records[i].at - first) / speed;
	/* A moment past the last one, which so is within. */
	load->duration = fmin(load->duration,
	    fmax(0, load->records[load->record_count - 1].at - load->warmup) + 0.001);
	load->rate =
	    (double)load->record_count / fmax(1e-3, load->records[load->record_count - 1].at);
}

static int
read_lines(struct replay *r, char *text, struct pf_error *err)
{
	size_t number = 0;
	char *next;
	int rc = 0;

	for (char *line = text; !rc && *line; line = next) {
		size_t size = strcspn(line, "\n");
		next = line + size + (line[size] == '\n');
		line[size] = 0;
		if (size && line[size - 1] == '\r')
			line[size - 1] = 0;
		number++;
		rc = take_line(r, line, err);
		if (rc && rc != PF_ENOMEM)
			pf_error_prefix(err, "%s:%zu", r->path, number);
	}
	return rc;
}

int
pf_replay_read(struct pf_load *load, const struct pf_request_maker *maker, const char *path,
    double speed, struct pf_error *err)
{
	struct replay r = {.load = load, .maker = maker, .path = path};
	struct pf_buffer text;
	int rc;

	pf_buffer_init(&text, PF_REQUEST_FILE_MAXIMUM);
	rc = pf_file_read(path, &text, err);
	pf_buffer_byte(&text, 0);
	if (!rc)
		rc = pf_buffer_check(&text, err);
	if (!rc)
		rc = pf_strings_init(&r.known, err);
	if (!rc)
		rc = read_lines(&r, (char *)text.bytes, err);
	if (!rc && load->record_count < 2)
		rc = pf_error_set(err, PF_EINPUT, "%s: fewer than two requests to replay", path);
	if (!rc)
		finish(&r, speed);
	pf_strings_release(&r.known);
	pf_buffer_release(&text);
	return rc;
}
