/*
 * attach_modules.h: which file, and which place in it, an address of some process is.
 *
 * A module is a file that was mapped, once however many processes map it. Its
 * ELF gives the build id and the unwind tables. A process is the list of its
 * executable mappings, read from /proc when it is first met and kept up to date
 * by the kernel's records.
 */
#ifndef PF_COLLECT_ATTACH_MODULES_H
#define PF_COLLECT_ATTACH_MODULES_H

#include <sys/types.h>

#include "collect/agent/cfi.h"
#include "core/index.h"
#include "symbol/binary.h"

struct pf_module {
	char *file;               /* owned; the name as the kernel has it */
	struct pf_binary *binary; /* owned; NULL: it can't be read */
	struct pf_cfi cfi;        /* in the file's own addresses */
	bool opened, has_cfi;
};

struct pf_map {
	uint64_t start, end, offset;
	uint32_t module;
};

struct pf_process {
	pid_t pid;
	char name[64];
	struct pf_map *maps; /* owned; by address */
	size_t count, capacity;
};

struct pf_modules_table {
	struct pf_module *modules; /* owned */
	size_t module_count, module_capacity;
	struct pf_process *processes; /* owned */
	size_t process_count, process_capacity;
	struct pf_index module_index, process_index;
};

void pf_modules_table_release(struct pf_modules_table *t);

/* The process, read from /proc if it is new; NULL without memory. */
struct pf_process *pf_modules_process(struct pf_modules_table *t, pid_t pid);
/* What the kernel tells: a mapping, a fork, a new program. PF_ENOMEM. */
int pf_modules_map(struct pf_modules_table *t, pid_t pid, const char *file, uint64_t start,
    uint64_t size, uint64_t offset, struct pf_error *err);
int pf_modules_fork(struct pf_modules_table *t, pid_t child, pid_t parent, struct pf_error *err);
void pf_modules_exec(struct pf_modules_table *t, pid_t pid, const char *name);

/* The mapping that holds an address, or NULL. */
const struct pf_map *pf_process_find(const struct pf_process *p, uint64_t address);

/* A module with its file opened, if that can be; `pid` is one that has it mapped. */
struct pf_module *pf_module_open(struct pf_modules_table *t, uint32_t module, pid_t pid);

/* The file's own (virtual) address of an address in a mapping; false: nowhere in its code. */
bool pf_module_address(
    const struct pf_module *m, const struct pf_map *map, uint64_t address, uint64_t *own);

#endif
