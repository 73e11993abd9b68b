/* fleet.c: reads the reports of a fleet and adds them up; see fleet.h. */
#include "tuner/fleet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"

enum { MOST_BYTES = 64 << 20 };

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

/* Of a prediction's metrics those of CPU ("cpu", "cpu_per_request"), else those of memory. */
static bool
is_of(const json_t *prediction, bool cpu)
{
	const char *metric = string(prediction, "metric");

	return cpu ? strncmp(metric, "cpu", 3) == 0
		   : strncmp(metric, "rss", 3) == 0 || strcmp(metric, "heap_in_use") == 0 ||
			 strcmp(metric, "stack_memory") == 0;
}

/*
 * The bounds of what a finding saves: of the prediction that promises it, else of
 * the figure of the evidence that it is. A prediction of CPU is relative to what
 * it was, one of memory in bytes.
 */
static struct pf_saving
saving_of(const json_t *finding, const char *key, bool cpu)
{
	const json_t *numbers = json_object_get(json_object_get(finding, "evidence"), "numbers");
	struct pf_saving s = {.value = number(finding, key)};
	const json_t *item;
	size_t i;

	if (!(s.value > 0))
		return (struct pf_saving){0};
	s.high = s.value;
	json_array_foreach(json_object_get(finding, "predicted"), i, item)
	{
		double before = number(item, "before"), unit = cpu ? before : 1;
		double low = (before - number(item, "high")) / unit;
		double high = (before - number(item, "low")) / unit;

		if (is_of(item, cpu) && low <= s.value && high >= s.value) {
			s.low = fmax(0, low);
			s.high = high;
			return s;
		}
	}
	json_array_foreach(numbers, i, item)
	{
		double low = number(item, "low"), high = number(item, "high");

		if (number(item, "value") == s.value && low <= s.value && high >= s.value) {
			s.low = fmax(0, low);
			s.high = high;
			return s;
		}
	}
	return s;
}

/* What the fleet's page shows of a finding. */
static json_t *
in_short(const json_t *finding)
{
	static const char *const keys[] = {
	    "kind", "severity", "confidence", "title", "summary", "cpu_saved", "bytes_saved"};
	const json_t *advice = json_array_get(json_object_get(finding, "advice"), 0);
	json_t *item = json_object();

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		json_object_set(item, keys[i], json_object_get(finding, keys[i]));
	json_object_set_new(item, "action", json_string(string(advice, "action")));
	json_object_set_new(item, "setting", json_string(string(advice, "setting")));
	return item;
}

static int
read_row(struct pf_fleet_row *row, const json_t *report, const char *path, struct pf_error *err)
{
	const json_t *service = json_object_get(report, "service"), *finding, *outage = NULL;
	const json_t *findings = json_object_get(report, "findings"), *first;
	const json_t *saves_cpu = NULL, *saves_bytes = NULL, *saver;
	double used = number(service, "cores_used");
	size_t i;
	int rc;

	if (strcmp(string(report, "schema"), "profuse.tune.v1") != 0 || !json_is_array(findings))
		return pf_error_set(err, PF_EINPUT,
		    "%s: no report of profuse tune: -o NAME.json writes one for --fleet", path);
	row->findings = json_array_size(findings);
	row->not_judged = json_incref(json_object_get(report, "not_judged"));
	if (!json_is_array(row->not_judged)) { /* a report of before */
		json_decref(row->not_judged);
		row->not_judged = json_array();
	}
	row->list = json_array();
	json_array_foreach(findings, i, finding)
	{
		struct pf_saving cpu = saving_of(finding, "cpu_saved", true);
		struct pf_saving bytes = saving_of(finding, "bytes_saved", false);

		row->high += strcmp(string(finding, "severity"), "high") == 0;
		if (!outage && sure(finding) && strcmp(string(finding, "kind"), "deadlock") == 0)
			outage = finding;
		json_array_append_new(row->list, in_short(finding));
		if (sure(finding) && cpu.value > row->cpu.value) {
			row->cpu = cpu;
			saves_cpu = finding;
		}
		if (sure(finding) && bytes.value > row->bytes.value) {
			row->bytes = bytes;
			saves_bytes = finding;
		}
	}
	row->outage = outage != NULL;
	if (row->cpu.value > 0)
		row->cores = (struct pf_saving){
		    row->cpu.value * used, row->cpu.low * used, row->cpu.high * used};
	first = outage ? outage : json_array_get(findings, 0);
	saver = saves_cpu ? saves_cpu : saves_bytes;
	rc = pf_copy_string(&row->service, string(service, "name"), err);
	if (!rc)
		rc = pf_copy_string(&row->title, string(first, "title"), err);
	if (!rc)
		rc = pf_copy_string(&row->saver, saver != first ? string(saver, "title") : "", err);
	if (!rc)
		rc = pf_copy_string(&row->time, string(report, "time"), err);
	return rc ? rc : pf_copy_string(&row->report, path, err);
}

/* Whether it is meant to be JSON at all, rather than a profile. */
static bool
is_json(const struct pf_buffer *b)
{
	size_t i = 0;

	while (i < b->size && strchr(" \t\r\n", b->bytes[i]) && b->bytes[i])
		i++;
	return i < b->size && b->bytes[i] == '{';
}

static int
add_report(struct pf_fleet *f, const char *path, struct pf_error *err)
{
	struct pf_buffer bytes;
	json_error_t why;
	json_t *report = NULL;
	int rc = PF_GROW(f->rows, f->capacity, f->count + 1, err);

	if (rc)
		return rc;
	f->rows[f->count] = (struct pf_fleet_row){.order = f->count};
	pf_buffer_init(&bytes, MOST_BYTES);
	rc = pf_file_read(path, &bytes, err);
	if (!rc && !is_json(&bytes))
		rc = pf_error_set(err, PF_EINPUT,
		    "%s: no report of profuse tune: -o NAME.json writes one for --fleet; profiles "
		    "are judged without it",
		    path);
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

/* The latest report of each service first. */
static int
by_service(const void *a, const void *b)
{
	const struct pf_fleet_row *x = a, *y = b;
	int order = strcmp(x->service, y->service);

	if (!order)
		order = strcmp(y->time, x->time);
	return order ? order : x->order < y->order ? 1 : -1;
}

/* Reports without a name are all of "service": nothing tells that it is one. */
static bool
are_of_one_service(const struct pf_fleet_row *x, const struct pf_fleet_row *y)
{
	return strcmp(x->service, y->service) == 0 && strcmp(x->service, "service") != 0;
}

static void
leave_out_older(struct pf_fleet *f)
{
	size_t kept = 0;

	if (f->count)
		qsort(f->rows, f->count, sizeof *f->rows, by_service);
	for (size_t i = 0; i < f->count; i++) {
		struct pf_fleet_row row = f->rows[i];

		if (kept && are_of_one_service(&f->rows[kept - 1], &row))
			continue;
		f->rows[i] = f->rows[kept];
		f->rows[kept++] = row;
	}
	f->left_out = f->count - kept;
	f->count = kept;
}

/* What stands still first: no saving is worth as much. Then the most cores, then the most memory. */
static int
by_saving(const void *a, const void *b)
{
	const struct pf_fleet_row *x = a, *y = b;
	double p = isnan(x->cores.value) ? x->cpu.value : x->cores.value;
	double q = isnan(y->cores.value) ? y->cpu.value : y->cores.value;

	if (x->outage != y->outage)
		return x->outage ? -1 : 1;
	if (p != q)
		return p < q ? 1 : -1;
	if (x->bytes.value != y->bytes.value)
		return x->bytes.value < y->bytes.value ? 1 : -1;
	return strcmp(x->service, y->service);
}

static void
add_saving(struct pf_saving *sum, const struct pf_saving *s)
{
	sum->value += s->value;
	sum->low += s->low;
	sum->high += s->high;
}

static void
add_up(struct pf_fleet *f)
{
	if (f->count)
		qsort(f->rows, f->count, sizeof *f->rows, by_saving);
	for (size_t i = 0; i < f->count; i++) {
		const struct pf_fleet_row *r = &f->rows[i];

		f->outages += r->outage;
		add_saving(&f->bytes, &r->bytes);
		if (isnan(r->cores.value))
			f->without_cores++;
		else
			add_saving(&f->cores, &r->cores);
	}
}

static void
release(struct pf_fleet *f)
{
	for (size_t i = 0; i < f->count + f->left_out; i++) {
		free(f->rows[i].service);
		free(f->rows[i].time);
		free(f->rows[i].report);
		free(f->rows[i].title);
		free(f->rows[i].saver);
		json_decref(f->rows[i].list);
		json_decref(f->rows[i].not_judged);
	}
	free(f->rows);
}

static int
write_as(const struct pf_fleet *f, enum pf_tune_format format, const char *path,
    struct pf_buffer *out, struct pf_error *err)
{
	switch (format) {
	case PF_TUNE_JSON:
		return pf_fleet_json(f, out, err);
	case PF_TUNE_HTML:
		return pf_fleet_html(f, path, out, err);
	case PF_TUNE_MARKDOWN:
		pf_fleet_markdown(f, out);
		return 0;
	default:
		pf_fleet_text(f, out);
		return 0;
	}
}

int
pf_tune_fleet(const char *const *reports, size_t count, enum pf_tune_format format,
    const char *path, struct pf_error *err)
{
	struct pf_fleet f = {0};
	struct pf_buffer out;
	int rc = 0;

	pf_buffer_init(&out, PF_BUFFER_NO_MAXIMUM);
	for (size_t i = 0; !rc && i < count; i++)
		rc = add_report(&f, reports[i], err);
	if (!rc) {
		leave_out_older(&f);
		add_up(&f);
		rc = write_as(&f, format, path, &out, err);
	}
	if (!rc)
		rc = pf_buffer_check(&out, err);
	if (!rc)
		rc = pf_file_write(path, out.bytes, out.size, err);
	release(&f);
	pf_buffer_release(&out);
	return rc;
}
