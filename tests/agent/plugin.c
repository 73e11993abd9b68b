/*
 * plugin.c: a library that comes and goes; built twice with different contents.
 */
#include "tests/agent/burn.h"

#ifndef FILLER
#define FILLER 0
#endif

__attribute__((visibility("default"))) void plugin_burn(double seconds);

/* Moves what follows, so that the two builds differ at every address. */
__attribute__((noinline, used)) static void
filler(void)
{
	__asm__ volatile(".skip %c0, 0x90" : : "i"(FILLER));
}

void
plugin_burn(double seconds)
{
	filler();
	burn(seconds);
	burn_sink++;
}
