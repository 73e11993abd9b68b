/*
 * profuse/agent.h: the agent inside a program: /debug/pprof/ for C and C++.
 *
 * Most programs need none of this: a constructor starts the agent before main
 * runs, configured by the environment (docs/agent.md lists the variables), and
 * PROFUSE_AGENT=off keeps it quiet. A program that links the agent calls
 * profuse_agent_start() once so that the linker keeps the library (--as-needed
 * drops an unused shared library, an archive's unused members are never linked).
 */
#ifndef PROFUSE_AGENT_H
#define PROFUSE_AGENT_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Starts the agent as the environment says, unless it runs already (which is
 * success) or PROFUSE_AGENT=off (-ECANCELED). 0, or a negative errno: nothing
 * is left running then. A port that is taken is no failure: it is tried again
 * once a second. Not for signal handlers; any thread may call it.
 */
int profuse_agent_start(void);

/*
 * Stops sampling and listening, writes what PROFUSE_OUT still has to write,
 * and lets the agent's thread end. Harmless when nothing runs.
 */
void profuse_agent_stop(void);

#ifdef __cplusplus
}
#endif
#endif
