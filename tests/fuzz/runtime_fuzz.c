/* Every reader of lib/runtime over the same bytes: none may crash, hang or read outside of them. */
#include <stdlib.h>

#include "runtime/allocator.h"
#include "runtime/go_stats.h"
#include "runtime/goroutines.h"
#include "runtime/pressure.h"
#include "runtime/proc.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static pf_allocator_reader *const readers[] = {pf_malloc_info_parse, pf_mallinfo2_parse,
	    pf_jemalloc_json_parse, pf_jemalloc_text_parse, pf_tcmalloc_parse, pf_mimalloc_parse};
	struct pf_exposition_histogram h;
	struct pf_allocator_stats stats;
	struct pf_pressure pressure;
	struct pf_exposition e;
	struct pf_goroutines dump;
	struct pf_gctrace trace;
	struct pf_go_stats go;
	struct pf_proc proc;

	for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
		pf_allocator_stats_init(&stats);
		(void)readers[i](&stats, "input", bytes, size, NULL);
	}
	(void)pf_allocator_parse(&stats, "input", bytes, size, NULL);
	pf_go_stats_init(&go);
	(void)pf_go_memstats_parse(&go, "input", bytes, size, NULL);
	(void)pf_gctrace_parse(&trace, "input", bytes, size, NULL);
	pf_gctrace_release(&trace);
	(void)pf_goroutines_parse(&dump, "input", bytes, size, NULL);
	pf_goroutines_release(&dump);
	pf_proc_init(&proc);
	(void)pf_proc_parse_status(&proc, "input", bytes, size, NULL);
	(void)pf_proc_parse_smaps(&proc, "input", bytes, size, NULL);
	(void)pf_proc_parse_stat(&proc, "input", bytes, size, 100, NULL);
	(void)pf_pressure_parse(&pressure, "input", bytes, size, NULL);
	if (pf_exposition_parse(&e, "input", bytes, size, NULL) == 0) {
		(void)pf_go_metrics_read(&go, "input", &e, NULL);
		if (pf_exposition_histogram(&e, "h", NULL, &h, NULL) == 0)
			(void)pf_exposition_histogram_quantile(&h, 0.99);
		pf_exposition_histogram_release(&h);
	}
	pf_exposition_release(&e);
	return 0;
}
