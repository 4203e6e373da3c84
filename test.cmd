@echo off
rem Runs the tests: sets up what is missing, then pytest. Arguments go to pytest.
setlocal EnableExtensions DisableDelayedExpansion
call "%~dp0setup.cmd"
if not %errorlevel%==0 exit /b 1
pushd "%~dp0"
if not %errorlevel%==0 exit /b 1
"%~dp0.venv\Scripts\python.exe" -m pytest %*
set "code=%errorlevel%"
popd
if "%code%"=="103" echo The Python that .venv was made with is gone: delete the folder .venv and start again. 1>&2
exit /b %code%
