"""The compiled part is optional: where it cannot be built the wheel is pure Python."""

from glob import glob

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "dynoscope_probe._fast",
            sorted(glob("fast/*.c")),
            depends=sorted(glob("fast/*.h")),
            extra_compile_args=["-O2"],
            optional=True,
        )
    ]
)
