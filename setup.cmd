@echo off
rem Called by run.cmd and test.cmd: makes .venv from requirements.lock, once; repeats when the lock or pyproject.toml changed.
setlocal
cd /d "%~dp0"
if not exist .venv\set-up goto install
fc /b requirements.lock .venv\set-up\requirements.lock >nul 2>&1 || goto install
fc /b pyproject.toml .venv\set-up\pyproject.toml >nul 2>&1 || goto install
exit /b 0
:install
if exist .venv\set-up rmdir /s /q .venv\set-up
if exist .venv\Scripts\python.exe goto packages
for %%V in (3.13 3.12 3.11) do (
    if not exist .venv\Scripts\python.exe py -%%V -m venv .venv >nul 2>&1
)
if not exist .venv\Scripts\python.exe python -m venv .venv
if not exist .venv\Scripts\python.exe (
    echo Python 3.11, 3.12 or 3.13 is needed and was not found. 1>&2
    exit /b 1
)
:packages
echo installing the packages of requirements.lock into .venv ^(once; about a minute^) 1>&2
.venv\Scripts\python.exe -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" || (
    echo .venv holds another Python than 3.11 to 3.13: delete the folder .venv and start again. 1>&2
    exit /b 1
)
.venv\Scripts\python.exe -m pip install --quiet --disable-pip-version-check --no-input --no-deps -r requirements.lock || (
    echo the packages could not be installed: check the network, the proxy ^(HTTPS_PROXY^) and pip's own message above. 1>&2
    exit /b 1
)
mkdir .venv\set-up
copy /y requirements.lock .venv\set-up\ >nul
copy /y pyproject.toml .venv\set-up\ >nul
exit /b 0
