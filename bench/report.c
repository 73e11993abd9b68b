/* report.c: a result into a file, in the format asked for. */
#include "bench/report.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "stats/histogram_code.h"

enum { REPORT_MAXIMUM = 256 << 20, PATH_MAXIMUM_SIZE = 4096 };

void
pf_bench_hlog(const struct pf_bench *b, struct pf_buffer *out)
{
	/* Times are seconds since the run began; the base time makes them absolute. */
	pf_buffer_printf(out,
	    "#[profuse bench %s]\n#[Histogram log format version 1.3]\n"
	    "#[StartTime: %.3f (seconds since epoch), %s]\n"
	    "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_"
	    "Histogram\"\n",
	    pf_version(), b->started_at, b->started);
	for (size_t i = 0; i < b->complete * b->variant_count; i++) {
		const struct pf_block *k = &b->blocks[i];

		if (k->latency)
			pf_buffer_printf(out, "Tag=%s,%.3f,%.3f,%.3f,%s\n",
			    b->variants[i % b->variant_count].name, k->start, k->seconds,
			    k->latency_most * 1e3, k->latency);
	}
}

/* One file a variant, its name before the ending: load.hgrm is load.before.hgrm and load.after.hgrm. */
static int
write_percentiles(const struct pf_bench *b, const char *path, struct pf_error *err)
{
	const char *dot = strrchr(path, '.');
	size_t stem = dot ? (size_t)(dot - path) : strlen(path);
	int rc = 0;

	for (size_t v = 0; !rc && v < b->variant_count; v++) {
		char name[PATH_MAXIMUM_SIZE];
		struct pf_buffer out;

		snprintf(name, sizeof name, "%.*s.%s%s", (int)stem, path, b->variants[v].name,
		    dot ? dot : "");
		pf_buffer_init(&out, REPORT_MAXIMUM);
		pf_histogram_percentiles(&b->latency[v], 1e6, &out);
		rc = pf_buffer_check(&out, err);
		if (!rc)
			rc = pf_file_write(
			    strcmp(path, "-") == 0 ? path : name, out.bytes, out.size, err);
		pf_buffer_release(&out);
	}
	return rc;
}

int
pf_bench_write(
    const struct pf_bench *b, enum pf_bench_format format, const char *path, struct pf_error *err)
{
	struct pf_buffer out;
	int rc = 0;

	if ((format == PF_BENCH_HGRM || format == PF_BENCH_HLOG) && !b->has_latency)
		return pf_error_set(err, PF_EUSAGE,
		    "-o %s: there are no latencies to write: --load URL measures some", path);
	if (format == PF_BENCH_HGRM)
		return write_percentiles(b, path, err);
	pf_buffer_init(&out, REPORT_MAXIMUM);
	switch (format) {
	case PF_BENCH_JSON:
		rc = pf_bench_json(b, &out, err);
		break;
	case PF_BENCH_HTML:
		rc = pf_bench_html(b, &out, err);
		break;
	case PF_BENCH_MARKDOWN:
		pf_bench_markdown(b, &out);
		break;
	case PF_BENCH_HLOG:
		pf_bench_hlog(b, &out);
		break;
	default:
		pf_bench_text(b, &out);
		break;
	}
	if (!rc)
		rc = pf_buffer_check(&out, err);
	if (!rc)
		rc = pf_file_write(path, out.bytes, out.size, err);
	pf_buffer_release(&out);
	return rc;
}
