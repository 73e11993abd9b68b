/*
 * last_call.c: see last_call.h. Opcodes by the manuals of the makers (AMD64 Architecture
 * Programmer's Manual, volume 3, appendix A).
 *
 * Code is not decoded from its beginning: bytes that look like a jump count where it leads to the start of
 * a function, or of a linker's entry for one. Where so little must agree that other bytes may
 * look the same (a jump of a byte's distance, or by a register) it has to stand where the function's
 * frame is gone, as it is at a last call: the unwind table says so.
 */
#include "collect/agent/last_call.h"

#include <stdlib.h>
#include <string.h>

#include "collect/agent/host.h"
#include "core/index.h"

enum {
	MOST_FUNCTIONS = 32, /* looked through for one call */
	MOST_CODE = 32 << 10,
	AT_ONCE = 4096,
	LONGEST = 6, /* bytes of a jump */
	MOST_HOPS = 3,
	KEPT = 512,
	ANSWERS = 2048,
};

/* What was found out by a search from one function to another, by what was called. */
struct way {
	uint64_t target, entry; /* 0: nothing is kept here */
	uint32_t mapping;
	struct pf_last_call call;
};

/* The answer to a question, by where the call returns to: code that calls by its address does so each time. */
struct answer {
	uint64_t pc, entry, below; /* 0: nothing is kept here */
	uint32_t mapping;
	struct pf_last_call call;
};

struct pf_last_call_seen {
	struct way ways[KEPT];
	struct answer answers[ANSWERS];
};

struct search {
	struct pf_modules *modules;
	const struct pf_called *what;
	uint32_t own;                       /* the entry's mapping: the agent's */
	uint64_t functions[MOST_FUNCTIONS]; /* the first is what was called */
	uint32_t from[MOST_FUNCTIONS];      /* by which of them each is jumped to */
	uint32_t count;
	uint32_t enders, ender; /* how many jump to the entry, and the last of these */
	bool open;              /* a jump that may lead anywhere */
};

static uint64_t
relative(const uint8_t *distance, uint64_t next)
{
	int32_t value;

	memcpy(&value, distance, sizeof value);
	return next + (uint64_t)(int64_t)value;
}

/* A jump by way of the offset table, as calls into other libraries go: of .plt and .plt.sec. */
static bool
linkage_slot(uint64_t pc, uint64_t *slot)
{
	static const uint8_t landing[] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */
	uint8_t code[sizeof landing + 7], *at = code;

	if (!pf_host_read_all(code, pc, sizeof code))
		return false;
	if (!memcmp(code, landing, sizeof landing))
		at += sizeof landing;
	at += *at == 0xf2;
	if (at[0] != 0xff || at[1] != 0x25)
		return false;
	*slot = relative(at + 2, pc + (uint64_t)(at - code) + 6);
	return true;
}

/* A look at the mappings would move the tables that a search has in its hands: it goes by those that are known. */
#define NO_LOOK INT64_MIN

/* The function behind the linker's entries; 0: nothing is read where no file's mapping is known to be. */
static uint64_t
behind(struct pf_modules *modules, uint64_t target)
{
	uint64_t slot;

	for (int i = 0; i < MOST_HOPS; i++) {
		if (pf_modules_find(modules, target, NO_LOOK) == PF_NO_MAPPING)
			return 0;
		if (!linkage_slot(target, &slot))
			return target;
		if (!pf_host_read_all(&target, slot, sizeof target))
			return 0;
	}
	return target;
}

/* The entry, where the target is another function of its file, and any will do. */
static uint64_t
taken_for_entry(struct pf_modules *modules, uint64_t target, const struct pf_called *what)
{
	return what->any && target &&
		       pf_modules_find(modules, target, NO_LOOK) ==
			   pf_modules_find(modules, what->entry, NO_LOOK)
		   ? what->entry
		   : target;
}

static const struct pf_cfi *
tables_of(struct pf_modules *modules, uint64_t pc, uint32_t *mapping)
{
	*mapping = pf_modules_find(modules, pc, NO_LOOK);
	return *mapping == PF_NO_MAPPING ? NULL : pf_modules_cfi(modules, *mapping);
}

static bool
is_start(struct pf_modules *modules, uint64_t pc)
{
	uint32_t mapping;
	const struct pf_cfi *cfi = tables_of(modules, pc, &mapping);

	return cfi && pf_cfi_start(cfi, pc) == pc;
}

/* libc's own locks are none that the agent stands in front of. */
static bool
is_libc(const struct pf_mapping *m)
{
	const char *slash = m->file ? strrchr(m->file, '/') : NULL;

	return slash && (strncmp(slash, "/libc.so", 8) == 0 || strncmp(slash, "/libc-", 6) == 0);
}

/* Whether the frame of the function is gone at this address, but for where it returns to. */
static bool
is_last(const struct pf_cfi *cfi, uint64_t pc)
{
	struct pf_row row;

	return pf_cfi_row(cfi, pc, &row) && row.cfa.kind == PF_RULE_REGISTER &&
	       row.cfa.reg == PF_REG_SP && row.cfa.value == 8;
}

/* A function's cold part, where its frame is as it was before, is none. */
static void
add_function(struct search *s, uint64_t target, uint32_t from)
{
	uint32_t mapping;
	const struct pf_cfi *cfi = tables_of(s->modules, target, &mapping);

	if (!cfi || mapping == s->own || is_libc(&s->modules->items[mapping]) ||
	    !is_last(cfi, target))
		return;
	for (uint32_t i = 0; i < s->count; i++)
		if (s->functions[i] == target)
			return;
	if (s->count == MOST_FUNCTIONS) {
		s->open = true;
		return;
	}
	s->functions[s->count] = target;
	s->from[s->count++] = from;
}

/* A jump that the bytes at `pc` may be: where to, or 0; *sure: hardly anything else. */
static uint64_t
jump_target(const uint8_t *code, uint64_t pc, bool *sure)
{
	uint64_t slot, target;

	*sure = false;
	switch (code[0]) {
	case 0xe9:
		*sure = true;
		return relative(code + 1, pc + 5);
	case 0xeb:
		return pc + 2 + (uint64_t)(int64_t)(int8_t)code[1];
	case 0x0f:
		return (code[1] & 0xf0) == 0x80 ? relative(code + 2, pc + 6) : 0;
	case 0xff:
		slot = relative(code + 2, pc + 6);
		*sure = true;
		return code[1] == 0x25 && pf_host_read_all(&target, slot, sizeof target) ? target
											 : 0;
	default:
		return code[0] >> 4 == 7 ? pc + 2 + (uint64_t)(int64_t)(int8_t)code[1] : 0;
	}
}

static bool
may_jump(uint8_t code)
{
	return code == 0xe9 || code == 0xeb || code == 0x0f || code == 0xff || code >> 4 == 7;
}

static bool
jumps_by_pointer(const uint8_t *code)
{
	return code[0] == 0xff && (code[1] >> 3 & 7) == 4 && code[1] != 0x25;
}

/*
 * Whether a jump leads to code of which nothing is known: without tables, or mapped since the last
 * look (0), which only an address that was read from a slot can be believed to be.
 */
static bool
is_dark(struct search *s, uint64_t target, bool by_slot)
{
	uint32_t mapping;
	const struct pf_cfi *cfi = tables_of(s->modules, target, &mapping);

	return mapping == PF_NO_MAPPING ? by_slot : !cfi;
}

/* One place of the function's code; how many bytes are this jump's, and no other's: 1 if it is none, or may be none. */
static size_t
look_at(struct search *s, const struct pf_cfi *cfi, uint32_t function, const uint8_t *code,
    uint64_t pc, uint64_t limit)
{
	uint64_t start = s->functions[function], target;
	size_t size = code[0] == 0xe9 ? 5 : code[0] == 0x0f || code[0] == 0xff ? 6 : 1;
	bool sure;

	if (code[0] == 0xff && !is_last(cfi, pc))
		return 1;
	if (jumps_by_pointer(code)) {
		s->open = true;
		return 1;
	}
	target = jump_target(code, pc, &sure);
	if (!target)
		return 1;
	if (target >= start && target < limit)
		return size;
	if (!sure && !is_last(cfi, pc))
		return 1;
	target = taken_for_entry(s->modules, behind(s->modules, target), s->what);
	if (target == s->what->entry) {
		s->enders += !s->enders || s->ender != function;
		s->ender = function;
		return size;
	}
	if (!is_start(s->modules, target)) {
		s->open |= sure && is_dark(s, target, code[0] == 0xff) && is_last(cfi, pc);
		return 1;
	}
	add_function(s, target, function);
	return size;
}

static void
look_through(struct search *s, uint32_t function)
{
	uint64_t at = s->functions[function], limit;
	uint8_t code[AT_ONCE];
	uint32_t mapping;
	const struct pf_cfi *cfi = tables_of(s->modules, at, &mapping);

	limit = cfi ? pf_cfi_limit(cfi, at) : 0;
	if (!limit || limit - at > MOST_CODE) {
		s->open = true;
		return;
	}
	while (at < limit) {
		size_t size = limit - at < sizeof code ? limit - at : sizeof code, i;

		if (!pf_host_read_all(code, at, size)) {
			s->open = true;
			return;
		}
		/* Bytes beyond the end are no code of this function's: they count as nothing. */
		for (i = 0; i < size && (i + LONGEST <= size || at + size == limit);) {
			uint8_t one[LONGEST] = {0};

			memcpy(one, code + i, i + LONGEST <= size ? LONGEST : size - i);
			i += may_jump(*one) ? look_at(s, cfi, function, one, at + i, limit) : 1;
		}
		at += i;
	}
}

/* What is between the entry and the caller, if `target` is what the caller has called. */
static void
search(struct pf_modules *modules, uint64_t target, const struct pf_called *what,
    struct pf_last_call *call)
{
	struct search s = {.modules = modules, .what = what};

	*call = (struct pf_last_call){.functions = {target}, .count = 1};
	tables_of(modules, what->entry, &s.own);
	add_function(&s, target, 0);
	for (uint32_t i = 0; i < s.count && s.enders < 2 && !s.open; i++)
		look_through(&s, i);
	if (s.enders != 1 || s.open)
		return;
	call->count = 0;
	for (uint32_t i = s.ender;; i = s.from[i]) {
		if (call->count == PF_LAST_CALLS) {
			*call = (struct pf_last_call){.functions = {target}, .count = 1};
			return;
		}
		call->functions[call->count++] = s.functions[i];
		if (i == 0)
			break;
	}
	call->known = true;
}

/* What the instruction before the frame's address calls, and whether it always does; 0: not known. */
static uint64_t
called(const struct pf_frame *caller, struct pf_modules *modules, const struct pf_called *what,
    bool *fixed)
{
	uint64_t back = caller->registers[PF_REG_PC], target;
	uint8_t code[6], reg;

	*fixed = false;
	if (!pf_host_read_all(code, back - sizeof code, sizeof code))
		return 0;
	if (code[1] == 0xe8) {
		target = taken_for_entry(modules, behind(modules, relative(code + 2, back)), what);
		*fixed = target == what->entry || is_start(modules, target);
		if (*fixed)
			return target;
	}
	if (code[0] == 0xff && code[1] == 0x15)
		return pf_host_read_all(&target, relative(code + 2, back), sizeof target)
			   ? taken_for_entry(modules, target, what)
			   : 0;
	/* By a register: those that a call leaves as they were are known. */
	if (code[4] != 0xff || (code[5] & 0xf8) != 0xd0)
		return 0;
	reg = (uint8_t)((code[5] & 7) + (code[3] == 0x41 ? 8 : 0));
	if (reg == 5) /* DWARF's numbers of rbp, and of rbx */
		reg = PF_REG_FP;
	else if (reg != 3 && reg < 12)
		return 0;
	return caller->valid >> reg & 1
		   ? taken_for_entry(modules, behind(modules, caller->registers[reg]), what)
		   : 0;
}

/* By the search of before, where that was of the same code; `kept` may be NULL. */
static void
find_way(struct pf_last_call_seen *kept, struct pf_modules *modules, uint64_t target,
    const struct pf_called *what, struct pf_last_call *call)
{
	struct way *way, other = {0};
	uint32_t mapping = pf_modules_find(modules, target, NO_LOOK);

	way = kept ? &kept->ways[pf_hash_u64(target ^ what->entry << 1) % KEPT] : &other;
	if (way->target != target || way->entry != what->entry || way->mapping != mapping) {
		*way = (struct way){.target = target, .entry = what->entry, .mapping = mapping};
		search(modules, target, what, &way->call);
	}
	*call = way->call;
}

/* The answer, and whether it is the same whenever this place is come by. */
static bool
ask(struct pf_last_call_seen *kept, struct pf_modules *modules, const struct pf_frame *caller,
    const struct pf_called *what, struct pf_last_call *call)
{
	bool fixed;
	uint64_t target = called(caller, modules, what, &fixed);

	*call = (struct pf_last_call){0};
	call->known = target && (target == what->entry || target == what->below);
	if (target && !call->known && is_start(modules, target))
		find_way(kept, modules, target, what, call);
	return target && fixed;
}

void
pf_last_call(struct pf_last_call_seen **kept, struct pf_modules *modules,
    const struct pf_frame *caller, const struct pf_called *what, int64_t now,
    struct pf_last_call *call)
{
	uint64_t pc = caller->registers[PF_REG_PC];
	struct answer *answer = NULL;
	uint32_t mapping;

	*call = (struct pf_last_call){0};
	if (!pf_host_reads_surely())
		return;
	/* Looks for what is new are made here, before anything is held. */
	mapping = pf_modules_find(modules, pc, now);
	pf_modules_find(modules, what->entry, now);
	if (!*kept)
		*kept = calloc(1, sizeof **kept);
	if (*kept)
		answer = &(*kept)->answers[pf_hash_u64(pc ^ what->below << 1) % ANSWERS];
	if (answer && answer->pc == pc && answer->entry == what->entry &&
	    answer->below == what->below && answer->mapping == mapping) {
		*call = answer->call;
		return;
	}
	if (ask(*kept, modules, caller, what, call) && answer)
		*answer = (struct answer){pc, what->entry, what->below, mapping, *call};
}
