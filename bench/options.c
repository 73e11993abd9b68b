/* options.c: see options.h. */
#include "bench/options.h"

#include <string.h>

#include "core/error.h"

enum { MOST_PAIRS = 4000, MOST_LOOKS = 10 };

static int
check_variants(const struct pf_bench_options *o, struct pf_error *err)
{
	const struct pf_bench_variant *base = o->variants;
	bool service = o->url_count > 0;

	if (o->variant_count < 1 || o->variant_count > PF_BENCH_VARIANTS)
		return pf_error_set(err, PF_EUSAGE, "bench compares up to %d variants, not %zu",
		    PF_BENCH_VARIANTS, o->variant_count);
	if (o->variant_count == 1 && (o->gate_count || o->looks > 1 || o->calibrate))
		return pf_error_set(err, PF_EUSAGE,
		    "--gate, --looks and --calibrate-pairs need something to compare with");
	if (!base->command && !(service && base->origin))
		return pf_error_set(
		    err, PF_EUSAGE, "bench needs a command to compare with: --before CMD");
	for (size_t i = 0; i < o->variant_count; i++) {
		const struct pf_bench_variant *v = &o->variants[i];
		if (v->command && !v->command[strspn(v->command, " \t")])
			return pf_error_set(err, PF_EUSAGE,
			    "--before and --after need a command, not an empty string");
		if (v->origin && !service)
			return pf_error_set(err, PF_EUSAGE,
			    "%s: an address is for services: --load URL is missing", v->origin);
		if (!base->command && (v->command || v->environment_count || !v->origin))
			return pf_error_set(err, PF_EUSAGE,
			    "the services run already: each variant needs its address, and none "
			    "may have a command or an environment");
	}
	return 0;
}

int
pf_bench_check_options(const struct pf_bench_options *o, struct pf_error *err)
{
	int rc = check_variants(o, err);

	if (rc)
		return rc;
	if (o->pairs > MOST_PAIRS ||
	    (o->warmup_pairs > MOST_PAIRS && o->warmup_pairs != SIZE_MAX) ||
	    o->calibrate > MOST_PAIRS)
		return pf_error_set(err, PF_EUSAGE,
		    "--pairs, --warmup-pairs and --calibrate-pairs go up to %d", MOST_PAIRS);
	if (o->looks < 1 || o->looks > MOST_LOOKS || (o->pairs && o->looks > o->pairs))
		return pf_error_set(err, PF_EUSAGE,
		    "--looks must be 1 to %d, and no more than there are pairs", MOST_LOOKS);
	if (!(o->confidence > 0.5 && o->confidence < 1))
		return pf_error_set(err, PF_EUSAGE, "--confidence must lie between 50 and 100 %%");
	if (o->duet && o->url_count)
		return pf_error_set(err, PF_EUSAGE,
		    "--duet is for commands: services would compete for the client's attention");
	if (o->url_count == 0 && (o->load_file || o->replay || o->ready_url || o->header_count ||
				     o->rate > 0 || o->metrics_url || o->http2))
		return pf_error_set(err, PF_EUSAGE,
		    "--rate, --load-file, --replay, --header, --ready, --metrics and --http2 are "
		    "for services: --load URL is missing");
	return 0;
}
