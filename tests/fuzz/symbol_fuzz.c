/*
 * libFuzzer target: any bytes as a binary's file: headers, symbols, relocations,
 * compressed sections, debug information, pseudo-probes.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "symbol/binary.h"
#include "symbol/probes.h"
#include "fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static volatile size_t sum; /* so that reading strings is not left out */

static bool
any_function(const void *context, uint64_t start)
{
	(void)context;
	(void)start;
	return true;
}

static void
ask_probes(const struct pf_binary *b)
{
	struct pf_probes probes;
	struct pf_error err = {0};
	int rc = pf_probes_read(&probes, b, any_function, NULL, &err);

	require(rc == 0 || (rc == PF_EINPUT && err.message[0]));
	for (size_t i = 0; !rc && i < probes.count; i++) {
		require(i == 0 || probes.items[i - 1].address <= probes.items[i].address);
		require(probes.items[i].node < probes.node_count);
	}
	for (size_t i = 0; !rc && i < probes.node_count; i++) {
		const struct pf_probe_node *n = &probes.nodes[i];
		require(n->parent == UINT32_MAX ? n->depth == 0 : n->parent < i);
		sum += strlen(probes.functions[n->function].name);
	}
	pf_probes_release(&probes);
}

static void
ask(struct pf_binary *b)
{
	struct pf_inline_chain chain = {0};
	struct pf_error err = {0};
	uint64_t value;
	size_t count;
	const struct pf_symbol *symbols = pf_binary_symbols(b, &count);

	for (size_t i = 0; i < count && i < 64; i++) {
		require(symbols[i].start < symbols[i].end && symbols[i].name[0]);
		require(i == 0 || symbols[i - 1].end <= symbols[i].start);
		require(pf_binary_symbol_at(b, symbols[i].end - 1) == &symbols[i]);
		for (uint64_t at = symbols[i].start;
		    at < symbols[i].end && at - symbols[i].start < 64; at += 7) {
			int rc = pf_binary_inline_chain(b, at, &chain, &err);
			require(rc == 0 || (rc == PF_EINPUT && err.message[0]));
			for (size_t k = 0; !rc && k < chain.count; k++)
				sum += strlen(chain.frames[k].function);
		}
		pf_binary_pointer(b, symbols[i].start, &value);
	}
	pf_inline_chain_release(&chain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct pf_binary *b;
	struct pf_error err = {0};
	int rc;

	if (fd < 0) {
		fd = memfd_create("binary", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	require(ftruncate(fd, (off_t)size) == 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
	rc = pf_binary_open(&b, path, &err);
	require(rc == 0 || ((rc == PF_EINPUT || rc == PF_EIO) && err.code == rc && err.message[0]));
	if (rc == 0)
		ask(b);
	if (rc == 0)
		ask_probes(b);
	pf_binary_free(rc ? NULL : b);
	return 0;
}
