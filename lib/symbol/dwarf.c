#include "symbol/dwarf.h"
#include <stdio.h>
#include <stdlib.h>
#include "symbol/binary_private.h"
int
pf_dwarf_open(struct pf_binary *binary, struct pf_error *err)
{
	(void)err;
	snprintf(binary->no_lines, sizeof binary->no_lines, "x");
	return 0;
}
void
pf_dwarf_free(struct pf_dwarf *dwarf)
{
	free(dwarf);
}
