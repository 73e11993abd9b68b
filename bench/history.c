/*
 * history.c: one line of JSON a run, appended; see profuse/bench_history.h. A
 * line is a single write to a file opened for appending, so that runs that end
 * at the same time don't mix theirs.
 */
#include <profuse/bench_history.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "core/error.h"

static json_t *
number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *
metric_json(const struct pf_bench *b, size_t v, enum pf_metric m)
{
	const struct pf_result *r = pf_bench_result(b, v, m);
	const struct pf_comparison *c = &r->comparison;
	bool has = r->compared && c->has_interval;

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "title", pf_metric_infos[m].title,
	    "unit", pf_unit_name(pf_metric_infos[m].unit), "before",
	    number(pf_bench_median(b, 0, m)), "after", number(pf_bench_median(b, v, m)), "change",
	    number(r->compared ? c->change : NAN), "low", number(has ? c->low : NAN), "high",
	    number(has ? c->high : NAN));
}

static json_t *
line_json(const struct pf_bench *b, const char *label)
{
	size_t v = b->variant_count - 1;
	json_t *metrics = json_object();

	for (enum pf_metric m = 0; m < PF_METRICS; m++) {
		if (b->measured[m] &&
		    json_object_set_new(metrics, pf_metric_infos[m].name, metric_json(b, v, m)))
			goto failed;
	}
	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:i, s:o}", "schema",
	    "profuse.bench.history.v1", "started", b->started, "label", label, "base",
	    b->variants[0].name, "variant", b->variants[v].name, "primary",
	    pf_metric_infos[b->primary].name, "machine", b->machine.cpu, "exit",
	    pf_exit_code(pf_bench_verdict(b, NULL)), "metrics", metrics);
failed:
	json_decref(metrics);
	return NULL;
}

static int
append(const char *path, const char *line, size_t size, struct pf_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	off_t end;
	ssize_t n;

	if (fd < 0)
		return pf_error_errno(err, "cannot open the history", path);
	end = lseek(fd, 0, SEEK_END);
	do {
		n = write(fd, line, size);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)size)
		return close(fd) ? pf_error_errno(err, "cannot write to", path) : 0;
	if (n >= 0)
		errno = ENOSPC;
	pf_error_errno(err, "cannot write to", path);
	/* Half a line would spoil the file for whoever reads it. */
	if (n > 0 && ftruncate(fd, end))
		pf_error_errno(err, "cannot take half a line back from", path);
	close(fd);
	return PF_EIO;
}

int
pf_bench_append_history(
    const struct pf_bench *b, const char *path, const char *label, struct pf_error *err)
{
	json_t *root = line_json(b, label);
	char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
	size_t size = text ? strlen(text) : 0;
	int rc;

	json_decref(root);
	if (!text)
		return pf_error_nomem(err);
	text[size] = '\n'; /* in place of the NUL: the line's end */
	rc = append(path, text, size + 1, err);
	free(text);
	return rc;
}
