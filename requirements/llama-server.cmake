# Read by llama.cpp's build when ./install.sh --cpu compiles its server. llama-cpp-python asks for shared libraries, which
# its Python code loads; the server is to be one program, that can be started from anywhere.
set(BUILD_SHARED_LIBS OFF)
