/*
 * agent_step_code_test.c: what single steps may lead through, by the makers' manuals, and for
 * every instruction of libc by a disassembler.
 */
#include "support/unit.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/agent/step_code.h"

static size_t
bytes_of(const char *hex, uint8_t *code, size_t room)
{
	size_t size = 0;
	unsigned byte;

	for (int used; size < room && sscanf(hex, " %2x%n", &byte, &used) == 1; hex += used)
		code[size++] = (uint8_t)byte;
	return size;
}

static enum pf_step_code
of(const char *hex)
{
	uint8_t code[16];

	return pf_step_code(code, bytes_of(hex, code, sizeof code));
}

static void
what_carries_the_flag_or_the_thread_away_ends_it(void **state)
{
	static const char *const ends[] = {
	    "0f05",
	    "0f07",
	    "0f34",
	    "0f35", /* syscall, sysenter and back */
	    "9c",
	    "669c",
	    "9d",
	    "669d",
	    "489d", /* pushf, popf */
	    "cc",
	    "cd80",
	    "ce",
	    "f1",
	    "f4",
	    "0f0b",
	    "0fb9c0", /* traps */
	    "ca0800",
	    "cb",
	    "48cb",
	    "cf",
	    "48cf",
	    "ff18",
	    "48ff18",
	    "ff28",
	    "48ff28", /* far */
	    "8ed0",
	    "8ee0",
	    "f30faed0",
	    "f3480faed0",
	    "f30faed8", /* segments */
	    "0f01d7",
	    "0f01ef",
	    "f30f01ec",
	    "d5009c",
	};

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (of(ends[i]) != PF_INSTRUCTION_ENDS)
			fail_msg("%s is stepped over", ends[i]);
}

static void
calls_are_known(void **state)
{
	static const char *const calls[] = {
	    "e800000000", "f2e800000000", "ffd0", "41ffd4", "ff1500000000", "3effd0", "42ff14e8"};
	static const char *const plain[] = {"c3", "f3c3", "eb00", "e900000000", "ffe0", "ff30",
	    "ffc0", "0faee8", "f30fae28", "0fae15e8000000", "f30f1efa", "c5e8cc", "62f17c48cf"};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (of(calls[i]) != PF_INSTRUCTION_CALLS)
			fail_msg("%s is no call", calls[i]);
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (of(plain[i]) != PF_INSTRUCTION_PLAIN)
			fail_msg("%s is %d", plain[i], (int)of(plain[i]));
}

/* A `ret` may be the last byte that can be read. */
static void
only_its_own_bytes_are_read(void **state)
{
	uint8_t *code = malloc(2); /* the sanitizer watches its end */

	(void)state;
	code[1] = 0xc3;
	assert_int_equal(pf_step_code(code + 1, 1), PF_INSTRUCTION_PLAIN);
	code[1] = 0x0f;
	assert_int_equal(pf_step_code(code + 1, 1), PF_INSTRUCTION_ENDS);
	memcpy(code, "\xff\xd0", 2);
	assert_int_equal(pf_step_code(code, 2), PF_INSTRUCTION_CALLS);
	memcpy(code, "\x66\x66", 2);
	assert_int_equal(pf_step_code(code, 2), PF_INSTRUCTION_ENDS);
	free(code);
}

static bool
is_one_of(const char *mnemonic, const char *const *names)
{
	for (; *names; names++)
		if (!strncmp(mnemonic, *names, strlen(*names)))
			return true;
	return false;
}

/* By its name, behind prefixes. */
static enum pf_step_code
by_name(const char *text)
{
	static const char *const prefixes[] = {"bnd ", "notrack ", "data16 ", "rep ", "repz ",
	    "repnz ", "lock ", "cs ", "ds ", "rex", NULL};
	static const char *const ends[] = {"syscall", "sysret", "sysenter", "sysexit", "pushf",
	    "popf", "int", "iret", "hlt", "ud", "lret", "lcall", "ljmp", "(bad)", "xgetbv", "xend",
	    "xtest", "rdtscp", "rdpkru", "wrpkru", "wrfsbase", "wrgsbase", "rdssp", "serialize",
	    "setssbsy", "saveprevssp", "rstorssp", "sgdt", "sidt", "lgdt", "lidt", "smsw", "invlpg",
	    "swapgs", "clac", "stac", "vmcall", "vmmcall", "monitor", "mwait", NULL};

	while (is_one_of(text, prefixes))
		text = strchr(text, ' ') ? strchr(text, ' ') + 1 : "";
	if (!strncmp(text, "call", 4))
		return PF_INSTRUCTION_CALLS;
	if (strstr(text, ",%fs\n") || strstr(text, ",%gs\n") || strstr(text, ",%ss\n"))
		return PF_INSTRUCTION_ENDS;
	return is_one_of(text, ends) ? PF_INSTRUCTION_ENDS : PF_INSTRUCTION_PLAIN;
}

static void
a_disassembler_says_the_same(void **state)
{
	char command[4200], line[512];
	size_t count = 0, special = 0;
	uint8_t code[16];
	Dl_info libc;
	FILE *out;

	(void)state;
	/* a function of libc's that no sanitizer stands in front of */
	assert_true(dladdr((void *)(uintptr_t)gnu_get_libc_version, &libc));
	snprintf(command, sizeof command, "objdump -d --insn-width=15 '%s'", libc.dli_fname);
	out = popen(command, "r");
	assert_non_null(out);
	while (fgets(line, sizeof line, out)) {
		char *bytes = strchr(line, '\t'), *text = bytes ? strchr(bytes + 1, '\t') : NULL;
		enum pf_step_code said, is;
		size_t size;
		if (!text || strchr(text, '<') == text + 1)
			continue;
		*text++ = '\0';
		size = bytes_of(bytes + 1, code, sizeof code);
		said = by_name(text);
		is = pf_step_code(code, size);
		if (is != said)
			fail_msg("%s %s is %d", bytes, text, (int)is);
		count++;
		special += is != PF_INSTRUCTION_PLAIN;
	}
	if (pclose(out) || count == 0)
		skip(); /* no such tool here */
	assert_true(count > 100000 && special > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_carries_the_flag_or_the_thread_away_ends_it),
	    cmocka_unit_test(calls_are_known),
	    cmocka_unit_test(only_its_own_bytes_are_read),
	    cmocka_unit_test(a_disassembler_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
