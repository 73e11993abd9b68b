/* collect_output.c: see collect_output.h. */
#include "collect_output.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "net/text.h"
#include "profile/mappings.h"

int
collect_report_init(struct collect_report *r, struct pf_error *err)
{
	*r = (struct collect_report){.warnings = json_array(), .terminal = isatty(STDERR_FILENO)};
	return r->warnings ? 0 : pf_error_nomem(err);
}

void
collect_report_release(struct collect_report *r)
{
	json_decref(r->warnings);
	free(r->path);
	*r = (struct collect_report){0};
}

void
collect_warning_keep(struct collect_report *r, const char *sentence)
{
	json_array_append_new(r->warnings, json_string(sentence));
}

void
collect_progress_show(struct collect_report *r, const struct pf_collect_progress *p)
{
	if (!r->terminal)
		return;
	fputs("\r\033[K", stderr);
	if (p->phase == PF_COLLECT_RECEIVING)
		fprintf(stderr, "receiving %s: %llu KiB", p->type,
		    (unsigned long long)(p->bytes >> 10));
	else if (p->phase == PF_COLLECT_RETRYING)
		fprintf(stderr, "busy at attempt %u, waiting to try again: %.0f s", p->attempt,
		    p->elapsed);
	else if (p->seconds)
		fprintf(stderr, "collecting %u s of %s from %.40s: %.0f s", p->seconds, p->type,
		    p->source, p->elapsed);
	else
		fprintf(stderr, "collecting %s from %.40s: %.0f s", p->type, p->source, p->elapsed);
	r->shown = true;
}

void
collect_progress_clear(struct collect_report *r)
{
	if (r->shown)
		fputs("\r\033[K", stderr);
	r->shown = false;
}

/* "cpu-host-2121-20260131T120000Z.pb.gz" from a source such as "http://host:2121/debug/…". */
static void
default_name(char *to, size_t room, const struct pf_collected *c)
{
	const char *source = pf_collected_source(c), *scheme = strstr(source, "://");
	const char *host =
	    scheme ? scheme + 3 : source; /* else pid:1234, name:redis (3 processes) */
	char place[128], when[32];
	size_t n = 0, size = strcspn(host, scheme ? "/?" : " ");
	time_t now = time(NULL);
	struct tm utc;

	for (size_t i = 0; i < size && n + 1 < sizeof place; i++)
		place[n++] = isalnum((unsigned char)host[i]) || host[i] == '.' ? host[i] : '-';
	place[n] = '\0';
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	snprintf(to, room, "%s-%s-%s.pb.gz", pf_collected_type(c), place, when);
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int
collect_output_check(const char *wish, struct pf_error *err)
{
	const char *slash = wish ? strrchr(wish, '/') : NULL;
	char *folder;
	struct stat st;
	int rc = 0;

	if (wish && (strcmp(wish, "-") == 0 ||
			(stat(wish, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))))
		return 0;
	if (wish && is_folder(wish))
		slash = wish + strlen(wish);
	folder = slash ? strndup(wish, (size_t)(slash - wish) + (slash == wish)) : strdup(".");
	if (!folder)
		return pf_error_nomem(err);
	if (access(folder, W_OK | X_OK))
		rc = pf_error_errno(err, "cannot write into the folder", folder);
	free(folder);
	return rc;
}

int
collect_output_path(
    struct collect_report *r, const char *wish, const struct pf_collected *c, struct pf_error *err)
{
	char name[256];
	size_t room;

	if (wish && !is_folder(wish)) {
		r->path = strdup(wish);
		return r->path ? 0 : pf_error_nomem(err);
	}
	default_name(name, sizeof name, c);
	room = (wish ? strlen(wish) + 1 : 0) + sizeof name;
	r->path = malloc(room);
	if (!r->path)
		return pf_error_nomem(err);
	snprintf(r->path, room, "%s%s%s", wish ? wish : "",
	    wish && wish[strlen(wish) - 1] != '/' ? "/" : "", name);
	if (access(r->path, F_OK) == 0)
		return pf_error_set(
		    err, PF_EIO, "%s exists already; name the file with -o to replace it", r->path);
	return 0;
}

void
collect_report_text(const struct collect_report *r, const struct pf_collected *c)
{
	const struct pf_profile *profile = pf_collected_profile(c);
	int64_t duration = pf_profile_duration_nanos(profile);
	const char *program = pf_profile_program(profile); /* seen: is it the one that was meant? */
	char shown[256];
	size_t size;

	pf_collected_bytes(c, &size);
	fprintf(stderr, "%s from %s: %zu distinct stacks", pf_collected_type(c),
	    pf_collected_source(c), pf_profile_sample_count(profile));
	if (*program)
		fprintf(stderr, " of %s",
		    pf_text_excerpt(shown, sizeof shown, program, strlen(program)));
	if (duration > 0)
		fprintf(stderr, " over %.2f s", (double)duration * 1e-9);
	fprintf(stderr, ", %zu bytes to %s\n", size,
	    strcmp(r->path, "-") == 0 ? "standard output" : r->path);
}

/* Names come from a server or a file system: what is no UTF-8 is shown as far as it is. */
static json_t *
safe_string(const char *text)
{
	json_t *string = json_string(text);
	char shown[1024];

	return string ? string
		      : json_string(pf_text_excerpt(shown, sizeof shown, text, strlen(text)));
}

static json_t *
sample_types(const struct pf_profile *profile)
{
	json_t *types = json_array();

	for (size_t i = 0; types && i < pf_profile_type_count(profile); i++) {
		json_array_append_new(types,
		    json_pack("{s:o, s:o}", "type", safe_string(pf_profile_type_name(profile, i)),
			"unit", safe_string(pf_profile_type_unit(profile, i))));
	}
	return types;
}

static json_t *
report_object(const struct collect_report *r, const struct pf_collected *c)
{
	const struct pf_profile *profile = pf_collected_profile(c);
	json_t *o = json_object();
	size_t size;
	int bad;

	pf_collected_bytes(c, &size);
	bad = json_object_set_new(o, "schema", json_string("profuse.collect.v1"));
	bad |= json_object_set_new(o, "source", safe_string(pf_collected_source(c)));
	bad |= json_object_set_new(o, "type", safe_string(pf_collected_type(c)));
	bad |= json_object_set_new(o, "seconds", json_integer(pf_collected_seconds(c)));
	bad |= json_object_set_new(
	    o, "samples", json_integer((json_int_t)pf_profile_sample_count(profile)));
	bad |= json_object_set_new(o, "sample_types", sample_types(profile));
	bad |= json_object_set_new(o, "time_nanos", json_integer(pf_profile_time_nanos(profile)));
	bad |= json_object_set_new(
	    o, "duration_nanos", json_integer(pf_profile_duration_nanos(profile)));
	bad |= json_object_set_new(o, "period", json_integer(pf_profile_period(profile)));
	bad |= json_object_set_new(o, "file", safe_string(r->path));
	bad |= json_object_set_new(o, "bytes", json_integer((json_int_t)size));
	bad |= json_object_set_new(o, "sha256", safe_string(pf_collected_sha256(c)));
	bad |= json_object_set_new(o, "attempts", json_integer(pf_collected_attempts(c)));
	bad |= json_object_set_new(o, "redirects", json_integer(pf_collected_redirects(c)));
	bad |= json_object_set(o, "warnings", r->warnings);
	if (!bad)
		return o;
	json_decref(o);
	return NULL;
}

int
collect_report_json(
    const struct collect_report *r, const struct pf_collected *c, struct pf_error *err)
{
	json_t *object = report_object(r, c);
	int rc = 0;

	if (!object)
		return pf_error_nomem(err);
	if (json_dumpf(object, stdout, JSON_INDENT(2)) || putchar('\n') == EOF)
		rc = pf_error_errno(err, "cannot write to", "standard output");
	json_decref(object);
	return rc;
}
