/* bench_past.c: profuse bench compare OLD NEW and trend FILE: results of earlier runs. */
#include "bench_settings.h"

#include <profuse/bench_history.h>

#include "core/error.h"

int
bench_compare(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	struct pf_bench_compare_options o = {.variant = s->compare_variant,
	    .confidence = s->confidence / 100,
	    .gates = s->gates.items,
	    .gate_count = s->gates.count};
	struct pf_bench *bench = NULL;
	int rc;

	if (arguments->count != 2)
		return pf_error_set(err, PF_EUSAGE,
		    "compare takes two JSON reports: profuse bench compare OLD.json NEW.json");
	rc = pf_bench_compare(&bench, arguments->items[0], arguments->items[1], &o, err);
	if (!rc)
		rc = bench_write_reports(bench, s, err);
	if (!rc)
		rc = pf_bench_verdict(bench, err);
	pf_bench_free(bench);
	return rc;
}

int
bench_trend(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	struct pf_bench_trend *trend = NULL;
	int rc;

	if (arguments->count != 1)
		return pf_error_set(err, PF_EUSAGE,
		    "trend takes one history file: profuse bench trend FILE [-o trend.html]");
	rc = pf_bench_trend_read(&trend, arguments->items[0], err);
	if (!rc)
		rc = pf_bench_trend_write(trend, s->json ? PF_BENCH_JSON : PF_BENCH_TEXT, "-", err);
	for (size_t i = 0; !rc && i < s->outputs.count; i++) {
		enum pf_bench_format format;
		rc = bench_format_of(s->outputs.items[i], &format, err);
		if (!rc)
			rc = pf_bench_trend_write(trend, format, s->outputs.items[i], err);
	}
	pf_bench_trend_free(trend);
	return rc;
}
