/* raw.c: a profile as text, item by item, in the layout that `pprof -raw` has. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "core/memory.h"
#include "report/view.h"

static void
raw_time(const struct pf_profile *p, struct pf_buffer *out)
{
	time_t seconds = (time_t)(p->time_nanos / 1000000000);
	long nanos = (long)(p->time_nanos % 1000000000);
	char text[64] = "", fraction[16] = "";
	struct tm utc;

	if (nanos) {
		size_t n = (size_t)snprintf(fraction, sizeof fraction, ".%09ld", labs(nanos));
		while (n > 1 && fraction[n - 1] == '0')
			fraction[--n] = '\0';
	}
	if (gmtime_r(&seconds, &utc))
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &utc);
	pf_buffer_printf(out, "Time: %s%s +0000 UTC\n", text, fraction);
}

static void
raw_header(const struct pf_profile *p, struct pf_buffer *out)
{
	for (size_t i = 0; i < p->comment_count; i++)
		pf_buffer_printf(out, "Comment: %s\n", pf_profile_string(p, p->comments[i]));
	if (p->doc_url)
		pf_buffer_printf(out, "Doc: %s\n", pf_profile_string(p, p->doc_url));
	if (p->period_type.type || p->period_type.unit)
		pf_buffer_printf(out, "PeriodType: %s %s\n",
		    pf_profile_string(p, p->period_type.type),
		    pf_profile_string(p, p->period_type.unit));
	pf_buffer_printf(out, "Period: %" PRId64 "\n", p->period);
	if (p->time_nanos)
		raw_time(p, out);
	if (p->duration_nanos)
		pf_buffer_printf(
		    out, "Duration: %.9gs\n", round((double)p->duration_nanos / 1e6) / 1e3);
	pf_buffer_string(out, "Samples:\n");
	for (size_t i = 0; i < p->type_count; i++)
		pf_buffer_printf(out, "%s%s/%s%s", i ? " " : "", pf_profile_type_name(p, i),
		    pf_profile_type_unit(p, i),
		    p->types[i].type == p->default_type ? "[dflt]" : "");
	pf_buffer_byte(out, '\n');
}

/* Strings before numbers, then by key; labels of one key keep their order. */
static int
compare_labels(const void *a, const void *b, void *data)
{
	const struct pf_profile *p = data;
	uint64_t i = *(const uint64_t *)a, j = *(const uint64_t *)b;
	const struct pf_label *x = &p->labels[i], *y = &p->labels[j];
	int order = (x->string == 0) - (y->string == 0);

	if (!order && x->key != y->key)
		order = strcmp(pf_profile_string(p, x->key), pf_profile_string(p, y->key));
	return order ? order : (i > j) - (i < j);
}

static bool
any_unit(const struct pf_profile *p, const uint64_t *labels, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		any |= p->labels[labels[i]].unit != 0;
	return any;
}

/* "key:[value value]" of labels that share a key. */
static void
raw_label(const struct pf_profile *p, const uint64_t *labels, size_t n, struct pf_buffer *out)
{
	bool units = any_unit(p, labels, n);

	pf_buffer_printf(out, "%s:[", pf_profile_string(p, p->labels[labels[0]].key));
	for (size_t i = 0; i < n; i++) {
		const struct pf_label *l = &p->labels[labels[i]];
		if (i)
			pf_buffer_byte(out, ' ');
		if (l->string)
			pf_buffer_string(out, pf_profile_string(p, l->string));
		else
			pf_buffer_printf(out, "%" PRId64, l->number);
		if (units && !l->string)
			pf_buffer_printf(out, " %s", pf_profile_string(p, l->unit));
	}
	pf_buffer_byte(out, ']');
}

/* One line of string labels and one of numeric ones, where there are any. */
static void
raw_labels(const struct pf_profile *p, size_t sample, uint64_t *order, struct pf_buffer *out)
{
	uint64_t first = p->label_starts[sample];
	size_t n = (size_t)(p->label_starts[sample + 1] - first), end;

	for (size_t i = 0; i < n; i++)
		order[i] = first + i;
	if (n)
		qsort_r(order, n, sizeof *order, compare_labels, (void *)p);
	for (size_t i = 0; i < n; i = end) {
		const struct pf_label *l = &p->labels[order[i]];
		bool number = l->string == 0;
		bool new_line = i == 0 || (p->labels[order[i - 1]].string == 0) != number;

		for (end = i + 1; end < n && p->labels[order[end]].key == l->key &&
				  (p->labels[order[end]].string == 0) == number;)
			end++;
		if (new_line && i)
			pf_buffer_byte(out, '\n');
		pf_buffer_string(out, new_line ? "                " : " ");
		raw_label(p, order + i, end - i, out);
	}
	if (n)
		pf_buffer_byte(out, '\n');
}

static int
raw_samples(
    const struct pf_profile *p, const uint8_t *kept, struct pf_buffer *out, struct pf_error *err)
{
	uint64_t *order;
	size_t most = 0;
	int rc;

	for (size_t i = 0; i < p->sample_count; i++) {
		size_t n = (size_t)(p->label_starts[i + 1] - p->label_starts[i]);
		most = n > most ? n : most;
	}
	rc = PF_CALLOC(order, most, err);
	for (size_t i = 0; !rc && i < p->sample_count && !out->failed; i++) {
		if (kept && !kept[i])
			continue;
		for (size_t t = 0; t < p->type_count; t++)
			pf_buffer_printf(out, " %10" PRId64, p->values[i * p->type_count + t]);
		pf_buffer_string(out, ": ");
		for (uint64_t j = p->frame_starts[i]; j < p->frame_starts[i + 1]; j++)
			pf_buffer_printf(out, "%" PRIu32 " ", p->frames[j] + 1);
		pf_buffer_byte(out, '\n');
		raw_labels(p, i, order, out);
	}
	free(order);
	return rc;
}

static void
raw_line(const struct pf_profile *p, const struct pf_line *line, struct pf_buffer *out)
{
	const struct pf_function *f;

	if (line->function == PF_NONE) {
		pf_buffer_string(out, "??");
		return;
	}
	f = &p->functions[line->function];
	pf_buffer_printf(out, "%s %s:%" PRId64 ":%" PRId64 " s=%" PRId64,
	    pf_profile_string(p, f->name), pf_profile_string(p, f->filename), line->line,
	    line->column, f->start_line);
	if (f->name != f->system_name)
		pf_buffer_printf(out, "(%s)", pf_profile_string(p, f->system_name));
}

static void
raw_location(const struct pf_profile *p, size_t i, struct pf_buffer *out)
{
	const struct pf_location *l = &p->locations[i];

	pf_buffer_printf(out, "%6zu: 0x%" PRIx64 " ", i + 1, l->address);
	if (l->mapping != PF_NONE)
		pf_buffer_printf(out, "M=%" PRIu32 " ", l->mapping + 1);
	if (l->folded)
		pf_buffer_string(out, "[F] ");
	for (uint64_t j = p->line_starts[i]; j < p->line_starts[i + 1]; j++) {
		if (j > p->line_starts[i])
			pf_buffer_string(out, "\n             ");
		raw_line(p, &p->lines[j], out);
	}
	pf_buffer_byte(out, '\n');
}

int
pf_view_raw(
    const struct pf_profile *p, const uint8_t *kept, struct pf_buffer *out, struct pf_error *err)
{
	int rc;

	raw_header(p, out);
	rc = raw_samples(p, kept, out, err);
	if (rc)
		return rc;
	pf_buffer_string(out, "Locations\n");
	for (size_t i = 0; i < p->location_count; i++)
		raw_location(p, i, out);
	pf_buffer_string(out, "Mappings\n");
	for (size_t i = 0; i < p->mapping_count; i++) {
		const struct pf_mapping *m = &p->mappings[i];
		pf_buffer_printf(out,
		    "%zu: 0x%" PRIx64 "/0x%" PRIx64 "/0x%" PRIx64 " %s %s %s%s%s%s\n", i + 1,
		    m->start, m->limit, m->offset, pf_profile_string(p, m->filename),
		    pf_profile_string(p, m->build_id), m->has_functions ? "[FN]" : "",
		    m->has_filenames ? "[FL]" : "", m->has_line_numbers ? "[LN]" : "",
		    m->has_inline_frames ? "[IN]" : "");
	}
	return pf_buffer_check(out, err);
}
