/*
 * binary.h: one ELF file and what a converter asks of it.
 *
 * Identity (build id), segments (file offset to virtual address), function
 * symbols, and per address the chain of inlined functions with line and
 * discriminator from DWARF. Addresses are virtual addresses as linked.
 *
 * The file is mapped, so it must not be truncated while it is open. A handle is
 * not shared between threads without the caller's own lock: looking up a chain
 * reads the debug information of the unit, and keeps where its functions are.
 * Asking for addresses in rising order is cheapest.
 */
#ifndef PF_SYMBOL_BINARY_H
#define PF_SYMBOL_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_error;
struct pf_binary;

/* One function symbol; symbols of a binary are sorted by start and do not overlap. */
struct pf_symbol {
	uint64_t start, end; /* [start, end) */
	const char *name;    /* linkage name as in the symbol table; owned by the binary */
	bool local;          /* other files may have one of the same name */
	const char *file; /* of a local symbol: the source file named before it; NULL: none was */
};

/*
 * One level of an inline chain, innermost first. In frame 0 line and
 * discriminator are those of the address itself; in frame i > 0 they are those
 * of the call site where frame i-1 was inlined.
 */
struct pf_inline_frame {
	const char *function; /* linkage name, else plain name, else ""; owned by the binary */
	const char *file;     /* of the line; NULL: unknown */
	uint32_t line;        /* 0: unknown */
	uint32_t
	    start_line; /* of the function's declaration; 0: unknown (-gmlt without -fdebug-info-for-profiling) */
	uint32_t discriminator; /* raw, as DWARF encodes it; 0: none */
};

struct pf_inline_chain {
	struct pf_inline_frame *frames; /* owned; reused from call to call */
	size_t count, capacity;
	bool without_files; /* set by the caller: `file` is then always NULL, and costs nothing */
	uint64_t
	    until; /* the chain is the same for all addresses from the one asked for up to this */
	/*
	 * Who answered last, and which answer that was: one with the same number differs in the
	 * innermost frame's file, line and discriminator at most. 0: says nothing.
	 */
	const struct pf_binary *binary;
	uint64_t number;
};

/* How to open a binary. A zeroed struct is the default. Strings need not outlive the call. */
struct pf_binary_options {
	/*
	 * Files with the debug information of stripped binaries; each belongs to the
	 * binaries of its build id, or of its name where there is none. Those that are
	 * of another binary are passed over.
	 */
	const char *const *debug_files;
	size_t debug_file_count;
	/*
	 * Gets a sentence for what a person should know although it is no failure: a
	 * download by debuginfod, parts that are missing. May be called as long as the
	 * binary is open.
	 */
	void (*note)(void *context, const char *text);
	void *note_context;
	/*
	 * Names for people: functions without a linkage name (gcc's members of templates, and lambdas) are called with
	 * the namespaces and classes that they lie in. Compilers know them by their names alone.
	 */
	bool scoped_names;
};

/*
 * Opens an executable or shared object. On success *binary is to be freed.
 * PF_EIO unreadable; PF_EINPUT not ELF, or not for this kind of machine.
 */
int pf_binary_open(struct pf_binary **binary, const char *path, struct pf_error *err);
int pf_binary_open_with(struct pf_binary **binary, const char *path,
    const struct pf_binary_options *options, struct pf_error *err);
void pf_binary_free(struct pf_binary *binary);

/*
 * Whether each debug file named in the options belongs to one of these binaries,
 * opened with them; folders need not. PF_EINPUT with the identities if not.
 */
int pf_binaries_check_debug_files(struct pf_binary *const *binaries, size_t count,
    const struct pf_binary_options *options, struct pf_error *err);

const char *pf_binary_path(const struct pf_binary *binary);
/* The file's bytes, as long as the binary is open. */
const void *pf_binary_image(const struct pf_binary *binary, size_t *size);
/* Lower-case hex of the GNU build id; "" if there is none. */
const char *pf_binary_build_id(const struct pf_binary *binary);

/* The virtual address of a byte of the file that lies in an executable segment; false if it doesn't. */
bool pf_binary_address(const struct pf_binary *binary, uint64_t file_offset, uint64_t *address);
/* Whether this virtual address lies in an executable segment. */
bool pf_binary_executable(const struct pf_binary *binary, uint64_t address);
/* The bytes of the file at a virtual address; NULL unless all `size` of them are there. */
const uint8_t *pf_binary_bytes(const struct pf_binary *binary, uint64_t address, size_t size);
/*
 * The 8-byte pointer that a running process holds at a virtual address, as
 * linked: relocations against the binary itself are applied. False if no bytes are there.
 */
bool pf_binary_pointer(const struct pf_binary *binary, uint64_t address, uint64_t *value);

/* The i-th loaded segment with bytes in the file, [*start, *end); false past the last. */
bool pf_binary_segment(
    const struct pf_binary *binary, size_t i, uint64_t *start, uint64_t *end, bool *executable);

/*
 * For whoever reads much of the file once: gives back the memory of what was
 * read; it is read again when it is needed. What chains read is given back anyway.
 */
void pf_binary_trim(const struct pf_binary *binary);

/* The bytes of the first section of this name, as they are in the file; {NULL, 0}: there is none. */
struct pf_bytes pf_binary_section(const struct pf_binary *binary, const char *name);
/* Whether the file has a section of this name with bytes in it. */
bool pf_binary_has_section(const struct pf_binary *binary, const char *name);

/* All function symbols (.symtab, else .dynsym), sorted. */
const struct pf_symbol *pf_binary_symbols(const struct pf_binary *binary, size_t *count);
/* The function symbol that covers an address, or NULL. */
const struct pf_symbol *pf_binary_symbol_at(const struct pf_binary *binary, uint64_t address);

/*
 * Whether there is DWARF line information at all. If not, `why` (may be NULL)
 * gets a sentence that says what to install or which flag to build with.
 */
bool pf_binary_has_lines(const struct pf_binary *binary, char *why, size_t why_size);

/*
 * The inline chain at an address: count 0 where DWARF knows nothing. The chain
 * is caller-owned (zeroed at first), released by pf_inline_chain_release().
 * PF_EINPUT on DWARF that cannot be read; PF_ENOMEM.
 */
int pf_binary_inline_chain(struct pf_binary *binary, uint64_t address,
    struct pf_inline_chain *chain, struct pf_error *err);
void pf_inline_chain_release(struct pf_inline_chain *chain);

/* The base discriminator and the duplication factor (1 if none) of a raw discriminator; see LLVM's DebugInfoMetadata. */
uint32_t pf_discriminator_base(uint32_t raw);
uint32_t pf_discriminator_duplication(uint32_t raw);

/*
 * The name LLVM's profiles use for a symbol: suffixes that the compiler's
 * passes append (.llvm.123, .part.0, .isra.0, .constprop.0, .cold) are cut off;
 * ".__uniq.123" is kept. Writes at most size bytes including the NUL.
 */
void pf_canonical_name(const char *name, char *out, size_t size);

/* The ".__uniq.123" of the name of a function that clang made unique, or NULL. */
const char *pf_unique_suffix(const char *name);

/*
 * The part of a name that stands in the source, of a function that clang made
 * unique (-funique-internal-linkage-names, which comes with pseudo-probes): "score"
 * of "_ZL5scorePKcm.__uniq.123" as of "score.__uniq.123". Of other names all. *size: its bytes.
 */
const char *pf_source_name(const char *name, size_t *size);

#endif
