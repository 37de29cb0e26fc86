import os
import subprocess

PROGRAMS = ("dfine_ddp", "dfine-eval", "dfine-eval-model", "dfine-predict", "dfine-pack")


def check(case):
    other = case("other_torch")
    os.mkdir(other)
    for library in ("libc10.so", "libtorch_cpu.so"):
        subprocess.run(["cc", "-shared", "-fPIC", case("other.c"), f"-Wl,-soname,{library}",
                        "-o", os.path.join(other, library)], check=True)
    for program in PROGRAMS:
        path = os.path.join(os.environ["DFINE_BINARY_DIR"], program)
        dynamic = subprocess.check_output(["readelf", "-d", path], text=True)
        assert "(RPATH)" in dynamic and "(RUNPATH)" not in dynamic, dynamic
        version = case.run(program, "--version", env={"LD_LIBRARY_PATH": other})
        assert version.startswith(program.removesuffix("-model") + " "), version
