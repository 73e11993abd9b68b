/*
 * fleet.c: many reports as one table: a row a service, what it would save.
 *
 * Findings overlap (the collector's share is in two of them), so savings are not
 * added up within a service: the greatest counts, of findings that are sure
 * enough. Cores are the share times the cores that the service uses, where its
 * report knows them (--cores-used); the total is labelled as what it is, an
 * extrapolation.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <profuse/tune.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "tuner/findings.h"
#include "tuner/json.h"

enum { MOST_BYTES = 64 << 20 };

struct row {
	char *service,
	    *title; /* owned; title: of the finding that saves most, or the most severe */
	size_t findings, high;
	double cpu, cores, bytes; /* share, cores, bytes that may be saved; cores NaN: not known */
};

struct fleet {
	struct row *rows;
	size_t count, capacity;
	double cores, bytes;
	size_t without_cores; /* services that would save CPU, of which the cores are not known */
};

static double
number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *
string(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static bool
sure(const json_t *finding)
{
	const char *confidence = string(finding, "confidence");

	return strcmp(confidence, "medium") == 0 || strcmp(confidence, "high") == 0;
}

static int
read_row(struct row *row, const json_t *report, const char *path, struct pf_error *err)
{
	const json_t *service = json_object_get(report, "service"), *finding;
	const json_t *findings = json_object_get(report, "findings");
	const char *title = "";
	double used = number(service, "cores_used");
	size_t i;
	int rc;

	if (strcmp(string(report, "schema"), "profuse.tune.v1") != 0 || !json_is_array(findings))
		return pf_error_set(err, PF_EINPUT,
		    "%s: no report of profuse tune: -o NAME.json writes one for --fleet", path);
	row->findings = json_array_size(findings);
	json_array_foreach(findings, i, finding)
	{
		double cpu = number(finding, "cpu_saved"), bytes = number(finding, "bytes_saved");

		row->high += strcmp(string(finding, "severity"), "high") == 0;
		if (!*title)
			title = string(finding, "title");
		if (!sure(finding))
			continue;
		if (cpu > row->cpu)
			row->cpu = cpu;
		if (bytes > row->bytes)
			row->bytes = bytes;
	}
	row->cores = row->cpu > 0 ? row->cpu * used : 0;
	rc = pf_copy_string(&row->service, string(service, "name"), err);
	return rc ? rc : pf_copy_string(&row->title, title, err);
}

static int
add_report(struct fleet *f, const char *path, struct pf_error *err)
{
	struct pf_buffer bytes;
	json_error_t why;
	json_t *report = NULL;
	int rc = PF_GROW(f->rows, f->capacity, f->count + 1, err);

	if (rc)
		return rc;
	f->rows[f->count] = (struct row){0};
	pf_buffer_init(&bytes, MOST_BYTES);
	rc = pf_file_read(path, &bytes, err);
	if (!rc) {
		report = json_loadb((const char *)bytes.bytes, bytes.size, 0, &why);
		if (!report)
			rc = pf_error_set(
			    err, PF_EINPUT, "%s: line %d: %s", path, why.line, why.text);
	}
	if (!rc)
		rc = read_row(&f->rows[f->count], report, path, err);
	f->count++;
	json_decref(report);
	pf_buffer_release(&bytes);
	return rc;
}

/* The most cores first, then the most memory. */
static int
by_saving(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double p = isnan(x->cores) ? x->cpu : x->cores, q = isnan(y->cores) ? y->cpu : y->cores;

	if (p != q)
		return p < q ? 1 : -1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return strcmp(x->service, y->service);
}

static void
add_up(struct fleet *f)
{
	if (f->count)
		qsort(f->rows, f->count, sizeof *f->rows, by_saving);
	for (size_t i = 0; i < f->count; i++) {
		const struct row *r = &f->rows[i];

		f->bytes += r->bytes;
		if (isnan(r->cores))
			f->without_cores += r->cpu > 0;
		else
			f->cores += r->cores;
	}
}

static void
cell(struct pf_buffer *out, const char *text, bool markdown)
{
	for (; *text; text++) {
		if (markdown && strchr("\\`*_[]<>|#", *text))
			pf_buffer_byte(out, '\\');
		pf_buffer_byte(out, (unsigned char)*text < 0x20 ? ' ' : (uint8_t)*text);
	}
}

static void
write_row(const struct row *r, bool markdown, struct pf_buffer *out)
{
	char cpu[PF_AMOUNT_ROOM] = "-", cores[PF_AMOUNT_ROOM] = "-", bytes[PF_AMOUNT_ROOM] = "-";

	if (r->cpu > 0)
		pf_amount(cpu, r->cpu, "share");
	if (r->cores > 0)
		snprintf(cores, sizeof cores, "%.1f", r->cores);
	if (r->bytes > 0)
		pf_amount(bytes, r->bytes, "bytes");
	if (markdown) {
		pf_buffer_string(out, "| ");
		cell(out, r->service, true);
		pf_buffer_printf(
		    out, " | %zu (%zu) | %s | %s | %s | ", r->findings, r->high, cpu, cores, bytes);
		cell(out, r->title, true);
		pf_buffer_string(out, " |\n");
		return;
	}
	pf_buffer_printf(out, "%-24.24s %5zu %5zu %8s %8s %10s  ", r->service, r->findings, r->high,
	    cpu, cores, bytes);
	cell(out, r->title, false);
	pf_buffer_byte(out, '\n');
}

static void
write_table(const struct fleet *f, bool markdown, struct pf_buffer *out)
{
	char bytes[PF_AMOUNT_ROOM];

	pf_amount(bytes, f->bytes, "bytes");
	if (markdown)
		pf_buffer_string(out,
		    "| service | findings (high) | CPU | cores | memory | first finding |\n"
		    "|---|---:|---:|---:|---:|---|\n");
	else
		pf_buffer_printf(out, "%-24s %5s %5s %8s %8s %10s  %s\n", "service", "found",
		    "high", "CPU", "cores", "memory", "first finding");
	for (size_t i = 0; i < f->count; i++)
		write_row(&f->rows[i], markdown, out);
	pf_buffer_printf(out,
	    "\n%zu services: up to %.1f cores and %s a process to be saved, extrapolated from "
	    "single reports",
	    f->count, f->cores, bytes);
	if (f->without_cores)
		pf_buffer_printf(out,
		    "; %zu more would save CPU, but their reports don't know the cores they use "
		    "(--cores-used)",
		    f->without_cores);
	pf_buffer_string(out, ".\n");
}

static int
write_json(const struct fleet *f, struct pf_buffer *out, struct pf_error *err)
{
	json_t *root = json_object(), *rows = json_array();

	json_object_set_new(root, "schema", json_string("profuse.tune-fleet.v1"));
	json_object_set_new(root, "cores_saved", json_real(f->cores));
	json_object_set_new(root, "bytes_saved", json_real(f->bytes));
	for (size_t i = 0; i < f->count; i++) {
		const struct row *r = &f->rows[i];
		json_t *row = json_object();

		json_object_set_new(row, "service", json_string(r->service));
		json_object_set_new(row, "findings", json_integer((json_int_t)r->findings));
		json_object_set_new(row, "high", json_integer((json_int_t)r->high));
		json_object_set_new(row, "cpu_saved", json_real(r->cpu));
		json_object_set_new(
		    row, "cores_saved", isnan(r->cores) ? json_null() : json_real(r->cores));
		json_object_set_new(row, "bytes_saved", json_real(r->bytes));
		json_object_set_new(row, "first_finding", json_string(r->title));
		json_array_append_new(rows, row);
	}
	json_object_set_new(root, "services", rows);
	return pf_json_write(root, out, err);
}

static void
release(struct fleet *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->rows[i].service);
		free(f->rows[i].title);
	}
	free(f->rows);
}

int
pf_tune_fleet(const char *const *reports, size_t count, enum pf_tune_format format,
    const char *path, struct pf_error *err)
{
	struct fleet f = {0};
	struct pf_buffer out;
	int rc = 0;

	if (format == PF_TUNE_HTML)
		return pf_error_set(
		    err, PF_EUSAGE, "a fleet's table is text, Markdown or JSON, no page");
	pf_buffer_init(&out, PF_BUFFER_NO_MAXIMUM);
	for (size_t i = 0; !rc && i < count; i++)
		rc = add_report(&f, reports[i], err);
	if (!rc) {
		add_up(&f);
		if (format == PF_TUNE_JSON)
			rc = write_json(&f, &out, err);
		else
			write_table(&f, format == PF_TUNE_MARKDOWN, &out);
	}
	if (!rc)
		rc = pf_buffer_check(&out, err);
	if (!rc)
		rc = pf_file_write(path, out.bytes, out.size, err);
	release(&f);
	pf_buffer_release(&out);
	return rc;
}
