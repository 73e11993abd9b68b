/*
 * cfi_run.h: running call frame instructions; between cfi.c and cfi_run.c.
 */
#ifndef PF_AGENT_CFI_RUN_H
#define PF_AGENT_CFI_RUN_H

#include "collect/agent/cfi.h"
#include "core/cursor.h"

/* A common information entry. */
struct pf_common {
	uint64_t code_align;
	int64_t data_align;
	uint64_t return_column;
	uint8_t encoding; /* of code addresses */
	bool sized;       /* augmentation data carry their length */
	bool signal_frame;
	struct pf_cursor program;
};

/* The row at `pc` of a function that starts at `start`; false on a damaged program. */
bool pf_cfi_run(const struct pf_common *common, struct pf_cursor program, uint64_t start,
    uint64_t pc, struct pf_row *row);

#endif
