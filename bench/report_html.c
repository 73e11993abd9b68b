/* report_html.c: the result as a page: the JSON report, and page/bench.* that draw it. */
#include "bench/report.h"

#include <stdio.h>

#include "core/error.h"
#include "report/page.h"

enum { JSON_MAXIMUM = 128 << 20 };

int
pf_bench_html(const struct pf_bench *b, struct pf_buffer *out, struct pf_error *err)
{
	static const struct pf_page_parts parts = {.subject = "profuse bench",
	    .styles = {"theme.css", "report.css"},
	    .body = "bench.html",
	    .data_id = "bench",
	    .scripts = {"plot.js", "bench.js"}};
	struct pf_buffer json;
	char title[200];
	int rc;

	snprintf(title, sizeof title, "%.90s or %.90s", b->variants[0].name,
	    b->variants[b->variant_count - 1].name);
	pf_buffer_init(&json, JSON_MAXIMUM);
	rc = pf_bench_json(b, &json, err);
	if (!rc) {
		pf_page_open(out, &parts, title);
		pf_page_json(out, json.bytes, json.size);
		pf_page_close(out, &parts);
		rc = pf_buffer_check(out, err);
	}
	pf_buffer_release(&json);
	return rc;
}
