/*
 * profile_string FILE: prints a profile the way google/pprof's Profile.String()
 * does, so that what we read can be compared with what the reference reads.
 * Times are UTC (the reference: TZ=UTC).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "profile/model.h"

enum { NANOS = 1000000000, LABEL_SIZE = 4096 };

static const char *
string(const struct pf_profile *p, uint32_t id)
{
	return pf_profile_string(p, id);
}

/* ".25", without trailing zeros; nothing for 0. */
static void
print_fraction(int64_t nanos)
{
	char digits[16];
	size_t size = (size_t)snprintf(digits, sizeof digits, ".%09" PRId64, nanos);

	while (size > 1 && digits[size - 1] == '0')
		size--;
	if (size > 1)
		printf("%.*s", (int)size, digits);
}

static void
print_time(int64_t nanos)
{
	time_t seconds = (time_t)(nanos / NANOS);
	struct tm tm;
	char text[64];

	if (!nanos || !gmtime_r(&seconds, &tm))
		return;
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	printf("Time: %s", text);
	print_fraction(nanos % NANOS);
	printf(" +0000 UTC\n");
}

/* The first four characters of "4h35m2.83s", as the reference's %.4v. */
static void
print_duration(int64_t nanos)
{
	int64_t seconds = nanos / NANOS;
	char text[96];

	if (!nanos)
		return;
	if (seconds >= 3600)
		snprintf(text, sizeof text, "%" PRId64 "h%" PRId64 "m%" PRId64 ".%09" PRId64,
		    seconds / 3600, seconds / 60 % 60, seconds % 60, nanos % NANOS);
	else if (seconds >= 60)
		snprintf(text, sizeof text, "%" PRId64 "m%" PRId64 ".%09" PRId64, seconds / 60,
		    seconds % 60, nanos % NANOS);
	else if (nanos % NANOS || !seconds)
		snprintf(text, sizeof text, "%.9g%s",
		    seconds            ? (double)nanos / 1e9
		    : nanos >= 1000000 ? (double)nanos / 1e6
				       : (double)nanos / 1e3,
		    seconds            ? "s"
		    : nanos >= 1000000 ? "ms"
				       : "µs");
	else
		snprintf(text, sizeof text, "%" PRId64 "s", seconds);
	printf("Duration: %.4s\n", text);
}

static void
print_header(const struct pf_profile *p)
{
	for (size_t i = 0; i < p->comment_count; i++)
		printf("Comment: %s\n", string(p, p->comments[i]));
	if (p->doc_url)
		printf("Doc: %s\n", string(p, p->doc_url));
	printf(
	    "PeriodType: %s %s\n", string(p, p->period_type.type), string(p, p->period_type.unit));
	printf("Period: %" PRId64 "\n", p->period);
	print_time(p->time_nanos);
	print_duration(p->duration_nanos);
	printf("Samples:\n");
	for (size_t i = 0; i < p->type_count; i++)
		printf("%s%s/%s%s", i ? " " : "", string(p, p->types[i].type),
		    string(p, p->types[i].unit),
		    p->default_type && p->default_type == p->types[i].type ? "[dflt]" : "");
	printf("\n");
}

/* One key of a sample's labels, with all its values: "bytes:[1024]", "state:[running]". */
static void
key_text(char *to, const struct pf_profile *p, uint64_t from, uint64_t end, bool numbers)
{
	uint32_t key = p->labels[from].key;
	bool units = false, first = true;
	size_t size = (size_t)snprintf(to, LABEL_SIZE, "%s:[", string(p, key));

	for (uint64_t i = from; i < end; i++)
		units |= p->labels[i].key == key && p->labels[i].unit;
	for (uint64_t i = from; i < end && size < LABEL_SIZE; i++) {
		const struct pf_label *l = &p->labels[i];
		if (l->key != key || numbers != !l->string)
			continue;
		if (numbers)
			size += (size_t)snprintf(to + size, LABEL_SIZE - size, "%s%" PRId64 "%s%s",
			    first ? "" : " ", l->number, units ? " " : "",
			    units ? string(p, l->unit) : "");
		else
			size += (size_t)snprintf(to + size, LABEL_SIZE - size, "%s%s",
			    first ? "" : " ", string(p, l->string));
		first = false;
	}
	if (size < LABEL_SIZE)
		snprintf(to + size, LABEL_SIZE - size, "]");
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Labels with strings or with numbers, in one line, sorted. */
static void
print_labels(const struct pf_profile *p, size_t sample, bool numbers)
{
	uint64_t from = p->label_starts[sample], end = p->label_starts[sample + 1];
	char(*lines)[LABEL_SIZE] = calloc(end - from + 1, sizeof *lines);
	size_t count = 0;

	if (!lines)
		abort();
	for (uint64_t i = from; i < end; i++) {
		bool seen = numbers != !p->labels[i].string;
		for (uint64_t j = from; j < i; j++)
			seen |=
			    p->labels[j].key == p->labels[i].key && numbers == !p->labels[j].string;
		if (!seen)
			key_text(lines[count++], p, i, end, numbers);
	}
	qsort(lines, count, sizeof *lines, compare);
	for (size_t i = 0; i < count; i++)
		printf("%s%s", i ? " " : "                ", lines[i]);
	if (count)
		printf("\n");
	free(lines);
}

static void
print_sample(const struct pf_profile *p, size_t i)
{
	for (size_t t = 0; t < p->type_count; t++)
		printf(" %10" PRId64, p->values[i * p->type_count + t]);
	printf(": ");
	for (uint64_t f = p->frame_starts[i]; f < p->frame_starts[i + 1]; f++)
		printf("%" PRIu32 " ", p->frames[f] + 1);
	printf("\n");
	print_labels(p, i, false);
	print_labels(p, i, true);
}

/* %#x of the reference writes 0 as 0x0. */
static void
print_location(const struct pf_profile *p, size_t i)
{
	const struct pf_location *l = &p->locations[i];

	printf("%6zu: 0x%" PRIx64 " ", i + 1, l->address);
	if (l->mapping != PF_NONE)
		printf("M=%" PRIu32 " ", l->mapping + 1);
	if (l->folded)
		printf("[F] ");
	for (uint64_t n = p->line_starts[i]; n < p->line_starts[i + 1]; n++) {
		const struct pf_line *line = &p->lines[n];
		const struct pf_function *f = &p->functions[line->function];
		if (n > p->line_starts[i])
			printf("\n             ");
		printf("%s %s:%" PRId64 ":%" PRId64 " s=%" PRId64, string(p, f->name),
		    string(p, f->filename), line->line, line->column, f->start_line);
		if (f->name != f->system_name)
			printf("(%s)", string(p, f->system_name));
	}
	printf("\n");
}

static void
print_mapping(const struct pf_profile *p, size_t i)
{
	const struct pf_mapping *m = &p->mappings[i];

	printf("%zu: 0x%" PRIx64 "/0x%" PRIx64 "/0x%" PRIx64 " %s %s %s%s%s%s\n", i + 1, m->start,
	    m->limit, m->offset, string(p, m->filename), string(p, m->build_id),
	    m->has_functions ? "[FN]" : "", m->has_filenames ? "[FL]" : "",
	    m->has_line_numbers ? "[LN]" : "", m->has_inline_frames ? "[IN]" : "");
}

int
main(int argc, char **argv)
{
	struct pf_profile *p;
	struct pf_error err;

	if (argc != 2) {
		fprintf(stderr, "usage: profile_string FILE\n");
		return PF_EUSAGE;
	}
	if (pf_profile_open(&p, argv[1], NULL, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return err.code;
	}
	print_header(p);
	for (size_t i = 0; i < p->sample_count; i++)
		print_sample(p, i);
	printf("Locations\n");
	for (size_t i = 0; i < p->location_count; i++)
		print_location(p, i);
	printf("Mappings\n");
	for (size_t i = 0; i < p->mapping_count; i++)
		print_mapping(p, i);
	pf_profile_free(p);
	return 0;
}
