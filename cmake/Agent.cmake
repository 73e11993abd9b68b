# libprofuse-agent: a guest in other people's processes: libc only, nothing exported but its API.
file(GLOB PROFUSE_AGENT_SOURCES CONFIGURE_DEPENDS collect/agent/*.c)
