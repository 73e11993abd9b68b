/* interrupts.h: Ctrl-C and its like as something to wait for. */
#ifndef CLI_INTERRUPTS_H
#define CLI_INTERRUPTS_H

/*
 * Interrupts become readable on the returned descriptor. They stay blocked when
 * the run is over, so that a second Ctrl-C doesn't cost the report. What was
 * ignored from the start (nohup) stays ignored.
 */
int cli_catch_interrupts(void);

#endif
