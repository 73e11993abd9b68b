/* fleet_write.c: a fleet's table as text, Markdown, JSON and a page (lib/report/page/fleet.*). */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "report/page.h"
#include "tuner/findings.h"
#include "tuner/fleet.h"
#include "tuner/json.h"

enum { CELL = 3 * PF_AMOUNT_ROOM, PATH_ROOM = 4096 };

static void
cell(struct pf_buffer *out, const char *text, bool markdown)
{
	for (; *text; text++) {
		if (markdown && strchr("\\`*_[]<>|#", *text))
			pf_buffer_byte(out, '\\');
		pf_buffer_byte(out, (unsigned char)*text < 0x20 ? ' ' : (uint8_t)*text);
	}
}

/* "18.2 (12.1 to 20.4)"; "-" where nothing is to be saved, or it is not known. */
static const char *
cores_text(char *text, const struct pf_saving *s)
{
	snprintf(text, CELL, "-");
	if (s->value > 0)
		snprintf(text, CELL, "%.1f (%.1f to %.1f)", s->value, s->low, s->high);
	return text;
}

static const char *
bytes_text(char *text, const struct pf_saving *s)
{
	char value[PF_AMOUNT_ROOM], low[PF_AMOUNT_ROOM], high[PF_AMOUNT_ROOM];

	snprintf(text, CELL, "-");
	if (s->value > 0)
		snprintf(text, CELL, "%s (%s to %s)", pf_amount(value, s->value, "bytes"),
		    pf_amount(low, s->low, "bytes"), pf_amount(high, s->high, "bytes"));
	return text;
}

/* The first finding, and the one whose saving stands beside it. No finding is no all-clear where something was not judged. */
static void
first_cell(struct pf_buffer *out, const struct pf_fleet_row *r, bool markdown)
{
	bool open = !r->findings && json_array_size(r->not_judged);

	cell(out, open ? "not all was judged" : r->title, markdown);
	if (*r->saver) {
		pf_buffer_string(out, "; what saves: ");
		cell(out, r->saver, markdown);
	}
}

static void
write_totals(const struct pf_fleet *f, bool markdown, struct pf_buffer *out)
{
	char cores[CELL], bytes[CELL];

	pf_buffer_printf(out,
	    "\n%zu service%s: %s cores and %s a process to be saved, extrapolated from single "
	    "reports",
	    f->count, f->count == 1 ? "" : "s",
	    f->cores.value > 0 ? cores_text(cores, &f->cores) : "no",
	    f->bytes.value > 0 ? bytes_text(bytes, &f->bytes) : "no memory");
	if (f->without_cores)
		pf_buffer_printf(out, "; %zu of them would save CPU, but %s (--cores-used)",
		    f->without_cores,
		    f->without_cores == 1 ? "its report doesn't know the cores it uses"
					  : "their reports don't know the cores they use");
	if (f->outages)
		pf_buffer_printf(out, "; %zu of them in a deadlock, which comes first", f->outages);
	pf_buffer_string(out, ".\n");
	if (f->left_out)
		pf_buffer_printf(out,
		    "%sLeft out, for a later report of the same service is here: ",
		    markdown ? "\n" : "");
	for (size_t i = f->count; i < f->count + f->left_out; i++) {
		pf_buffer_string(out, i > f->count ? ", " : "");
		cell(out, f->rows[i].report, markdown);
	}
	if (f->left_out)
		pf_buffer_byte(out, '\n');
}

void
pf_fleet_text(const struct pf_fleet *f, struct pf_buffer *out)
{
	char share[PF_AMOUNT_ROOM], cores[CELL], bytes[CELL];

	pf_buffer_printf(out, "%-24s %5s %5s %8s %22s %34s  %s\n", "service", "found", "high",
	    "CPU", "cores", "memory", "first finding");
	for (size_t i = 0; i < f->count; i++) {
		const struct pf_fleet_row *r = &f->rows[i];

		pf_buffer_printf(out, "%-24.24s %5zu %5zu %8s %22s %34s  ", r->service, r->findings,
		    r->high, r->cpu.value > 0 ? pf_amount(share, r->cpu.value, "share") : "-",
		    cores_text(cores, &r->cores), bytes_text(bytes, &r->bytes));
		first_cell(out, r, false);
		pf_buffer_byte(out, '\n');
	}
	write_totals(f, false, out);
}

void
pf_fleet_markdown(const struct pf_fleet *f, struct pf_buffer *out)
{
	char share[PF_AMOUNT_ROOM], cores[CELL], bytes[CELL];

	pf_buffer_string(out,
	    "| service | findings (high) | CPU | cores | memory | first finding |\n"
	    "|---|---:|---:|---:|---:|---|\n");
	for (size_t i = 0; i < f->count; i++) {
		const struct pf_fleet_row *r = &f->rows[i];

		pf_buffer_string(out, "| ");
		cell(out, r->service, true);
		pf_buffer_printf(out, " | %zu (%zu) | %s | %s | %s | ", r->findings, r->high,
		    r->cpu.value > 0 ? pf_amount(share, r->cpu.value, "share") : "-",
		    cores_text(cores, &r->cores), bytes_text(bytes, &r->bytes));
		first_cell(out, r, true);
		pf_buffer_string(out, " |\n");
	}
	write_totals(f, true, out);
}

/* NAME_saved, NAME_low and NAME_high; null where they are not known. */
static void
set_saving(json_t *object, const char *name, const struct pf_saving *s)
{
	const double values[] = {s->value, s->low, s->high};
	static const char *const ends[] = {"saved", "low", "high"};
	char key[32];

	for (int i = 0; i < 3; i++) {
		snprintf(key, sizeof key, "%s_%s", name, ends[i]);
		json_object_set_new(
		    object, key, isfinite(values[i]) ? json_real(values[i]) : json_null());
	}
}

/* A file's name may be anything; JSON takes UTF-8. */
static json_t *
name_json(const char *name)
{
	json_t *value = json_string(name);

	return value ? value : json_string_nocheck("?");
}

static json_t *
row_json(const struct pf_fleet_row *r)
{
	json_t *row = json_object();

	json_object_set_new(row, "service", json_string(r->service));
	json_object_set_new(row, "findings", json_integer((json_int_t)r->findings));
	json_object_set_new(row, "outage", json_boolean(r->outage));
	json_object_set_new(row, "high", json_integer((json_int_t)r->high));
	set_saving(row, "cpu", &r->cpu);
	set_saving(row, "cores", &r->cores);
	set_saving(row, "bytes", &r->bytes);
	json_object_set_new(row, "first_finding", json_string(r->title));
	json_object_set_new(row, "saving_finding", json_string(r->saver));
	json_object_set_new(row, "report", name_json(r->report));
	json_object_set(row, "finding_list", r->list);
	json_object_set(row, "not_judged", r->not_judged);
	return row;
}

static json_t *
fleet_json(const struct pf_fleet *f)
{
	json_t *root = json_object(), *rows = json_array(), *left_out = json_array();

	json_object_set_new(root, "schema", json_string("profuse.tune-fleet.v1"));
	set_saving(root, "cores", &f->cores);
	set_saving(root, "bytes", &f->bytes);
	json_object_set_new(
	    root, "services_without_cores", json_integer((json_int_t)f->without_cores));
	for (size_t i = 0; i < f->count; i++)
		json_array_append_new(rows, row_json(&f->rows[i]));
	json_object_set_new(root, "services", rows);
	for (size_t i = f->count; i < f->count + f->left_out; i++) {
		json_t *report = json_object();

		json_object_set_new(report, "service", json_string(f->rows[i].service));
		json_object_set_new(report, "report", name_json(f->rows[i].report));
		json_array_append_new(left_out, report);
	}
	json_object_set_new(root, "left_out", left_out);
	return root;
}

int
pf_fleet_json(const struct pf_fleet *f, struct pf_buffer *out, struct pf_error *err)
{
	return pf_json_write(fleet_json(f), out, err);
}

/*
 * Where a service's own page lies as seen from the fleet's: "checkout.html", or
 * NULL where there is none beside the report, or it is not in the fleet's page's
 * folder or below (a link that leads up and away would break when pages move).
 */
static const char *
page_beside(const char *report, const char *path, char *page)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash + 1 - path) : 0, size = strlen(report);

	if (size < folder + 6 || size + 1 > PATH_ROOM || strcmp(report + size - 5, ".json") != 0 ||
	    memcmp(report, path, folder) != 0)
		return NULL;
	snprintf(page, PATH_ROOM, "%.*s.html", (int)size - 5, report);
	if (access(page, R_OK) != 0 || page[folder] == '/' || strstr(page + folder, "../"))
		return NULL;
	return page + folder;
}

int
pf_fleet_html(
    const struct pf_fleet *f, const char *path, struct pf_buffer *out, struct pf_error *err)
{
	static const struct pf_page_parts parts = {.subject = "fleet",
	    .styles = {"theme.css", "report.css", "fleet.css"},
	    .body = "fleet.html",
	    .data_id = "fleet",
	    .scripts = {"plot.js", "fleet.js"}};
	json_t *root = fleet_json(f), *rows = json_object_get(root, "services");
	struct pf_buffer json;
	char page[PATH_ROOM];
	int rc;

	for (size_t i = 0; i < f->count; i++) {
		const char *link = page_beside(f->rows[i].report, path, page);

		if (link)
			json_object_set_new(json_array_get(rows, i), "page", name_json(link));
	}
	pf_buffer_init(&json, PF_BUFFER_NO_MAXIMUM);
	rc = pf_json_write(root, &json, err);
	if (!rc) {
		pf_page_open(out, &parts, "What a fleet would save");
		pf_page_json(out, json.bytes, json.size);
		pf_page_close(out, &parts);
	}
	pf_buffer_release(&json);
	return rc ? rc : pf_buffer_check(out, err);
}
