/* compiler.c: see compiler.h. */
#include "convert/compiler.h"

#include <string.h>

#include "core/error.h"
#include "symbol/binary.h"
#include "symbol/bytes.h"
#include "symbol/probes.h"

bool
pf_is_go_program(const struct pf_binary *binary)
{
	static const char *const sections[] = {
	    ".go.buildinfo", ".gopclntab", ".data.rel.ro.gopclntab", ".note.go.buildid"};
	bool found = false;

	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		found |= pf_binary_has_section(binary, sections[i]);
	return found;
}

/* Each compiler leaves its version there; what starts a program (crt1.o) has GCC's beside it in most. */
static bool
has_comment(const struct pf_binary *binary, const char *compiler)
{
	struct pf_bytes comment = pf_binary_section(binary, ".comment");

	return comment.size && memmem(comment.at, comment.size, compiler, strlen(compiler));
}

/* Whether nobody but GCC, and a linker, says that it was there. */
static bool
is_all_of_gcc(const struct pf_binary *binary)
{
	struct pf_bytes comment = pf_binary_section(binary, ".comment");
	const char *at = (const char *)comment.at, *end = at ? at + comment.size : NULL;
	bool found = false;

	for (size_t size; at && at < end; at += size + 1) {
		size = strnlen(at, (size_t)(end - at));
		if (size && strncmp(at, "GCC: ", 5) != 0 && strncmp(at, "Linker: ", 8) != 0)
			return false;
		found |= size && *at == 'G';
	}
	return found;
}

bool
pf_has_unique_names(const struct pf_binary *binary)
{
	size_t count;
	const struct pf_symbol *symbols = pf_binary_symbols(binary, &count);

	for (size_t i = 0; i < count; i++) {
		if (pf_unique_suffix(symbols[i].name))
			return true;
	}
	return false;
}

static int
refuse_go(const struct pf_convert *c, const char *compiler, struct pf_error *err)
{
	return pf_error_set(err, PF_EINPUT,
	    "%s is a Go program, which %s does not build: --format go-pgo writes what go build "
	    "-pgo takes",
	    c->binary_path, compiler);
}

/* The runtime finds what it has to know of a function by the address where the linker put it. */
static int
check_for_bolt(const struct pf_convert *c, struct pf_error *err)
{
	if (!pf_is_go_program(c->binary))
		return 0;
	return pf_error_set(err, PF_EINPUT,
	    "%s has Go's runtime in it, whose tables of functions and stacks BOLT does not "
	    "rewrite: "
	    "what it makes of the program crashes. --format go-pgo writes what go build -pgo "
	    "takes",
	    c->binary_path);
}

static int
check_for_gcc(struct pf_convert *c, bool by_clang, struct pf_error *err)
{
	if (!by_clang && !has_comment(c->binary, "GCC: ") && pf_is_go_program(c->binary))
		return refuse_go(c, "gcc", err);
	if (pf_probes_present(c->binary))
		return pf_error_set(err, PF_EINPUT,
		    "%s was built by clang, with names of static functions that GCC's build does "
		    "not "
		    "have: GCC would take them for cold. Profile a build of GCC, or leave --format "
		    "gcc "
		    "out",
		    c->binary_path);
	if (by_clang || pf_has_unique_names(c->binary))
		pf_report_note(&c->report,
		    "Code of clang's is in this binary: GCC has other lines for the same code and "
		    "takes for cold what it doesn't find. Profile a build of GCC.");
	return 0;
}

int
pf_check_compiler(struct pf_convert *c, struct pf_error *err)
{
	bool by_clang = has_comment(c->binary, "clang version");

	switch (c->options.format) {
	case PF_CONVERT_GCC:
		return check_for_gcc(c, by_clang, err);
	case PF_CONVERT_EXTBINARY:
	case PF_CONVERT_TEXT:
		if (!by_clang && pf_is_go_program(c->binary))
			return refuse_go(c, "clang", err);
		if (is_all_of_gcc(c->binary))
			pf_report_note(&c->report,
			    "GCC built this binary: clang has other lines for the same code, and "
			    "what "
			    "it doesn't find counts as cold. Profile a build of clang's, or write "
			    "--format gcc for GCC.");
		return 0;
	case PF_CONVERT_BOLT:
		return check_for_bolt(c, err);
	default:
		return 0;
	}
}
